"""Getting one stored message to its partner, for as long as patience lasts."""

from temporalio.exceptions import ActivityError, ApplicationError

from workflows.calls import call
from workflows.contracts.outbound import GIVE_UP, SEND, GivingUp, Sending, Sent

UNREACHABLE = "The partner's system could not be reached; whether the message arrived is not known."


async def deliver(message_id: str) -> Sent:
    """Sends a message; when patience runs out, says so in words for the person who must take over."""
    try:
        return await call(SEND, Sending(message_id))
    except ActivityError as error:
        cause = error.cause
        told = cause.details if isinstance(cause, ApplicationError) else ()
        return await call(GIVE_UP, GivingUp(message_id, str(told[0]) if told else UNREACHABLE))

"""`careloop message list|show|replay|release`: messages that stopped, for an operator."""

import getpass
import json
import sys
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from infra.cli.up import HomeOption

if TYPE_CHECKING:
    from infra.messages import Messages, Shown
    from infra.operate import Operated

app = typer.Typer(help="Messages from and to partners.", no_args_is_help=True)
IdArgument = Annotated[UUID, typer.Argument(help="the message's id, from `careloop message list`")]
JsonOption = Annotated[bool, typer.Option("--json", help="for a program to read")]


@app.command("list")
def list_command(
    state: Annotated[list[str] | None, typer.Option(help="only these states; default: waiting and unknown")] = None,
    limit: Annotated[int, typer.Option(help="at most so many of each clinic")] = 50,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what waits for a person: the newest first, without its content."""
    from infra.messages import STOPPED
    from infra.operate import operating

    with operating(home) as clinic:
        found = [_line(one) for one in _messages(clinic).listed(tuple(state or STOPPED), limit)]
    if as_json:
        print(json.dumps(found))
        return
    for one in found:
        print(
            f"{one['id']}  {one['clinic']}  {one['direction']:<3}  {one['state']:<8}  {one['partner']}  {one['case']}"
        )
        print(f"    {one['received_at']}  {one['cause'] or 'no cause was given'}")
    print(f"{len(found)} messages.")


@app.command("show")
def show_command(
    message_id: IdArgument,
    raw: Annotated[bool, typer.Option(help="with its content; the look is put on the audit")] = False,
    home: HomeOption = None,
) -> None:
    """Show one message."""
    from infra.operate import operating

    with operating(home) as clinic:
        messages = _messages(clinic)
        shown = _found(messages, message_id)
        content = messages.content(shown) if raw else b""
    print(json.dumps(_line(shown), indent=2))
    if raw:
        sys.stdout.buffer.write(content + b"\n")


@app.command("replay")
def replay_command(message_id: IdArgument, home: HomeOption = None) -> None:
    """Hand a stopped message over once more: file one that was received, send one that was not delivered."""
    from infra.operate import operating

    with operating(home) as clinic:
        messages = _messages(clinic)
        stands = messages.replay(_found(messages, message_id))
    if stands is None:
        sys.exit("careloop: this message has not stopped; nothing is done.")
    print(f"Handed over; it is {stands} now.")


@app.command("release")
def release_command(
    message_id: IdArgument,
    reason: Annotated[str, typer.Option(help="what was done instead, or why nothing will be")],
    home: HomeOption = None,
) -> None:
    """Say that a stopped message needs nothing more, and why. It is kept."""
    from infra.operate import operating

    with operating(home) as clinic:
        messages = _messages(clinic)
        done = messages.release(_found(messages, message_id), reason)
    if not done:
        sys.exit("careloop: this message does not wait for a person; nothing is done.")
    print("Released.")


def _messages(clinic: "Operated") -> "Messages":
    from infra.messages import Messages

    return Messages(clinic.parts, clinic.engine, f"operator:{getpass.getuser()}")


def _found(messages: "Messages", message_id: UUID) -> "Shown":
    shown = messages.find(message_id)
    return shown or sys.exit(f"careloop: no clinic here has a message {message_id}.")


def _line(shown: "Shown") -> dict[str, str]:
    row = shown.line.message
    return {
        "id": str(row.id),
        "clinic": shown.context.tenant,
        "direction": row.direction,
        "kind": row.kind,
        "state": row.state,
        "partner": shown.line.partner,
        "case": shown.line.number,
        "received_at": row.received_at.isoformat(timespec="seconds"),
        "settled_at": row.settled_at.isoformat(timespec="seconds") if row.settled_at else "",
        "cause": row.detail,
    }

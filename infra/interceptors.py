"""Carries who acts, as an opaque id in a header, from the web through the workflow into each activity."""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from psycopg.errors import UniqueViolation
from sqlalchemy.exc import IntegrityError
from temporalio import activity, client, worker, workflow
from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError

from activities import acting
from workflows.contracts.people import ACTOR_HEADER, SYSTEM, speaker

SAME_KEY = 5  # tries after which a key that is there already is no coincidence

_convert = DataConverter.default.payload_converter
_in_workflow: ContextVar[str] = ContextVar("actor_in_workflow", default=SYSTEM)


def _with(headers: Mapping[str, Payload], actor: str) -> Mapping[str, Payload]:
    return {**headers, ACTOR_HEADER: _convert.to_payloads([actor])[0]}


def _from(headers: Mapping[str, Payload]) -> str:
    payload = headers.get(ACTOR_HEADER)
    return str(_convert.from_payloads([payload], [str])[0]) if payload else SYSTEM


class ActorInterceptor(client.Interceptor, worker.Interceptor):
    """Both ends of the header; register it on the client, which hands it to its workers."""

    def intercept_client(self, next: client.OutboundInterceptor) -> client.OutboundInterceptor:
        return _ClientOutbound(next)

    def intercept_activity(self, next: worker.ActivityInboundInterceptor) -> worker.ActivityInboundInterceptor:
        return _ActivityInbound(next)

    def workflow_interceptor_class(
        self,
        input: worker.WorkflowInterceptorClassInput,  # noqa: ARG002 the engine's own signature
    ) -> type[worker.WorkflowInboundInterceptor] | None:
        return _WorkflowInbound


class _ClientOutbound(client.OutboundInterceptor):
    async def start_workflow(self, input: client.StartWorkflowInput) -> client.WorkflowHandle[Any, Any]:
        input.headers = _with(input.headers, speaker.get())
        return await super().start_workflow(input)

    async def signal_workflow(self, input: client.SignalWorkflowInput) -> None:
        input.headers = _with(input.headers, speaker.get())
        await super().signal_workflow(input)

    async def start_workflow_update(self, input: client.StartWorkflowUpdateInput) -> client.WorkflowUpdateHandle[Any]:
        input.headers = _with(input.headers, speaker.get())
        return await super().start_workflow_update(input)

    async def start_update_with_start_workflow(
        self, input: client.StartWorkflowUpdateWithStartInput
    ) -> client.WorkflowUpdateHandle[Any]:
        start, update = input.start_workflow_input, input.update_workflow_input
        # What the process does by itself later on is nobody's act, whoever has started it.
        start.headers = _with(start.headers, SYSTEM)
        update.headers = _with(update.headers, speaker.get())
        return await super().start_update_with_start_workflow(input)


class _WorkflowInbound(worker.WorkflowInboundInterceptor):
    def init(self, outbound: worker.WorkflowOutboundInterceptor) -> None:
        super().init(_WorkflowOutbound(outbound))

    async def execute_workflow(self, input: worker.ExecuteWorkflowInput) -> Any:
        _in_workflow.set(_from(input.headers))
        return await super().execute_workflow(input)

    async def handle_signal(self, input: worker.HandleSignalInput) -> None:
        _in_workflow.set(_from(input.headers))
        await super().handle_signal(input)

    async def handle_update_handler(self, input: worker.HandleUpdateInput) -> Any:
        _in_workflow.set(_from(input.headers))
        return await super().handle_update_handler(input)


class _WorkflowOutbound(worker.WorkflowOutboundInterceptor):
    def start_local_activity(self, input: worker.StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        input.headers = _with(input.headers, _in_workflow.get())
        return super().start_local_activity(input)

    def start_activity(self, input: worker.StartActivityInput) -> workflow.ActivityHandle[Any]:
        input.headers = _with(input.headers, _in_workflow.get())
        return super().start_activity(input)

    async def signal_external_workflow(self, input: worker.SignalExternalWorkflowInput) -> None:
        input.headers = _with(input.headers, _in_workflow.get())
        await super().signal_external_workflow(input)


class _ActivityInbound(worker.ActivityInboundInterceptor):
    async def execute_activity(self, input: worker.ExecuteActivityInput) -> Any:
        acting.actor.set(_from(input.headers))
        try:
            return await super().execute_activity(input)
        except IntegrityError as refused:
            # The same key written in the same moment is found on the next try; any other row will never fit.
            if isinstance(refused.orig, UniqueViolation) and activity.info().attempt < SAME_KEY:
                raise
            raise ApplicationError("The store refuses it.", type="IntegrityError", non_retryable=True) from None

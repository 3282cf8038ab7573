"""Temporal: the development server as a service, and our namespace in whichever server there is."""

import os
import sysconfig
from datetime import timedelta
from pathlib import Path

from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    DescribeNamespaceRequest,
    RegisterNamespaceRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from infra.supervisor.home import Home
from infra.supervisor.ports import listens
from infra.supervisor.service import Service

RETENTION = Duration(seconds=int(timedelta(days=30).total_seconds()))
PATIENCE = timedelta(seconds=2)


class Engine:
    """Asks one server whether it serves our namespace, which is made when it is missing."""

    def __init__(self, address: str, namespace: str) -> None:
        self._address = address
        self._namespace = namespace
        self._client: Client | None = None

    async def missing(self) -> str:
        """Empty when workflows of the namespace can be started; else what is missing."""
        try:
            client = self._client = self._client or await Client.connect(self._address, namespace=self._namespace)
            await self._make_namespace(client)
            await client.workflow_service.count_workflow_executions(
                CountWorkflowExecutionsRequest(namespace=self._namespace), timeout=PATIENCE
            )
        except (RPCError, RuntimeError) as why:  # the bridge raises RuntimeError when nobody listens
            return f"Temporal at {self._address} does not serve namespace {self._namespace} yet: {why}"
        return ""

    async def _make_namespace(self, client: Client) -> None:
        wanted = DescribeNamespaceRequest(namespace=self._namespace)
        try:
            await client.workflow_service.describe_namespace(wanted, timeout=PATIENCE)
        except RPCError as why:
            if why.status is not RPCStatusCode.NOT_FOUND:
                raise
            await client.workflow_service.register_namespace(
                RegisterNamespaceRequest(namespace=self._namespace, workflow_execution_retention_period=RETENTION),
                timeout=PATIENCE,
            )


def own_service(home: Home, port: int, namespace: str) -> Service:
    """The development server on an SQLite file that keeps what it acknowledged when the power fails."""
    engine = Engine(f"127.0.0.1:{port}", namespace)

    async def probe(pid: int) -> str:
        if not listens(pid, port):
            return f"Temporal does not listen on port {port} yet"
        return await engine.missing()

    return Service(
        name="temporal",
        command=_command(home, port),
        probe=probe,
        address=f"127.0.0.1:{port}",
        environment={"PATH": os.defpath, "HOME": str(home.temporal)},
        folder=home.temporal,
    )


def _command(home: Home, port: int) -> tuple[str, ...]:
    return (
        *(str(Path(sysconfig.get_path("scripts")) / "temporal"), "server", "start-dev", "--headless"),
        *("--disable-config-file", "--disable-config-env", "--log-level", "error"),
        *("--ip", "127.0.0.1", "--port", str(port), "--db-filename", str(home.temporal / "engine.db")),
        *("--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=full"),
        *("--dynamic-config-value", "matching.numTaskqueueReadPartitions=1"),
        *("--dynamic-config-value", "matching.numTaskqueueWritePartitions=1"),
    )


def external_service(address: str, namespace: str) -> Service:
    """A Temporal of somebody else: watched, not started."""
    engine = Engine(address, namespace)

    async def probe(_: int) -> str:
        return await engine.missing()

    return Service(name="temporal", probe=probe, address=address)

"""Decision tables a clinic may change, run by zen-engine: the only file that imports it.

Every answer names the table's version and the hash of its content, to be stored with what was decided.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256

import zen
from sqlalchemy.orm import Session

from activities.records.rule_table import content_of, in_force
from activities.tables.schema import SCHEMAS, TableRefused
from activities.tables.shipped import Content, Table, shipped

SHIPPED_VERSION = 1
REMEMBERED = 1000  # answers of one version


@dataclass(frozen=True)
class Decision:
    """What a table answered, and which version of it."""

    outcome: Mapping[str, object]
    table: str
    version: int
    hash: str


class Tables:
    """The shipped tables and each clinic's own, compiled once per process; safe for threads."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Table, int], Compiled] = {}
        self._lock = threading.Lock()

    def decide(self, session: Session, tenant: str, table: Table, facts: Mapping[str, str], at: datetime) -> Decision:
        """The answer of the version that holds at `at`; raises `TableRefused` where no row fits."""
        head = in_force(session, table, at)
        if head is None:
            return self._compiled("", table, SHIPPED_VERSION, lambda: shipped(table)).decide(facts)
        version = head.version
        compiled = self._compiled(tenant, table, version, lambda: content_of(session, table, version))
        if compiled.hash != head.hash:
            raise TableRefused(table, [f"The content of version {version} is not the one that was approved."])
        return compiled.decide(facts)

    def _compiled(self, tenant: str, table: Table, version: int, read: Callable[[], Content]) -> "Compiled":
        """Versions never change, so a compiled one is good for as long as the process lives."""
        key = (tenant, table, version)
        with self._lock:
            known = self._known.get(key)
        if known is None:
            known = Compiled(table, version, read())
            with self._lock:
                self._known[key] = known
        return known


class Compiled:
    """One version of one table, ready to answer."""

    def __init__(self, table: Table, version: int, content: Content) -> None:
        self._table, self._version, self.hash = table, version, hash_of(content)
        self._decision = zen.ZenEngine().create_decision(json.dumps(content))
        # A version never changes, so the same facts always get the same answer.
        self._answer = lru_cache(maxsize=REMEMBERED)(self._evaluate)

    def decide(self, facts: Mapping[str, str]) -> Decision:
        """Raises `TableRefused` where no row fits the facts, or where what comes out does not fit its column."""
        return self._answer(tuple(sorted(facts.items())))

    def _evaluate(self, asked: tuple[tuple[str, str], ...]) -> Decision:
        outcome = self._decision.evaluate(dict(asked))["result"]
        if faults := SCHEMAS[self._table].faults(outcome):
            words = ", ".join(f"{name} {value}" for name, value in asked if value)
            raise TableRefused(self._table, [f"Version {self._version}, asked for {words}:", *faults])
        return Decision(outcome, self._table, self._version, self.hash)


def hash_of(content: Content) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(canonical.encode()).hexdigest()


def condition_fault(cell: str) -> str:
    """Why an input cell cannot be read; empty when it can."""
    return _said(zen.validate_unary_expression(cell)) if cell.strip() else ""


def expression_fault(cell: str) -> str:
    """Why an output cell cannot be read; empty when it can."""
    return _said(zen.validate_expression(cell)) if cell.strip() else "it is empty"


def _said(found: Mapping[str, object] | None) -> str:
    return str(found["source"]) if found else ""


def answer_of(content: Content) -> Callable[[Mapping[str, str]], Mapping[str, object]]:
    """Runs a table that is not in force: for trying it out before it is stored."""
    decision = zen.ZenEngine().create_decision(json.dumps(content))
    return lambda facts: decision.evaluate(dict(facts))["result"]

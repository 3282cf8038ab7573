"""What a simulated specialist keeps: resources, counts and scripts, in memory and in a journal that survives it."""

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import RLock
from typing import Any
from uuid import uuid4

from infra.simulators.specialist_plan import Scripted, parse_script, written

Json = dict[str, Any]


@dataclass
class Case:
    """One referral as the specialist sees it. `done` counts the lines of `script` carried out, `round` the scripts."""

    number: str
    task_address: str = ""
    script: tuple[Scripted, ...] | None = None
    done: int = 0
    round: int = 0
    refused_at_intake: int = 0
    answers: list[Json] = field(default_factory=list)


class Store:
    """Every method is atomic; every change is one line of `journal.jsonl` below `folder`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = RLock()
        self._resources: dict[tuple[str, str], Json] = {}
        self._by_identifier: dict[tuple[str, str, str], str] = {}
        self.accepted: Counter[str] = Counter()
        self.deliveries: Counter[str] = Counter()
        self.updates: Counter[str] = Counter()
        self.cases: dict[str, Case] = {}
        path = folder / "journal.jsonl"
        written_before = path.read_text() if path.exists() else ""
        for line in written_before.splitlines():
            self._replay(line)
        self._journal = path.open("a")
        if written_before and not written_before.endswith("\n"):
            self._journal.write("\n")

    def _replay(self, line: str) -> None:
        try:
            entry = json.loads(line)
        except ValueError:
            return  # a line cut short by a kill: its change was never answered for
        self._apply(entry)

    def _write(self, entry: Json) -> None:
        self._apply(entry)
        self._journal.write(json.dumps(entry) + "\n")
        self._journal.flush()

    def _apply(self, entry: Json) -> None:
        for resource in entry.get("resources", []):
            self._keep(resource)
        case = self.cases.setdefault(entry["number"], Case(entry["number"]))
        match entry["what"]:
            case "delivery":
                self.deliveries[case.number] += 1
                self.accepted[case.number] += entry["made"]
                self.updates[case.number] += entry.get("word", False)
                case.task_address = entry["task_address"]
            case "script":
                case.script, case.done, case.refused_at_intake = parse_script(entry["script"]), 0, 0
                case.round += 1
            case "refused":
                case.refused_at_intake += 1
            case "done":
                if entry["round"] == case.round:
                    case.done = entry["done"]
                case.answers.append(entry["answer"])

    def _keep(self, resource: Json) -> None:
        kind, made = resource["resourceType"], resource["id"]
        self._resources[kind, made] = resource
        for one in resource.get("identifier", []):
            self._by_identifier.setdefault((kind, one.get("system", ""), one.get("value", "")), made)

    def deliver(self, number: str, task_address: str, resources: list[Json], made: bool, word: bool = False) -> Case:
        """One transaction taken: `made` when it made the ServiceRequest, not when it was there already.

        `word` when it says something new of one that was there.
        """
        with self._lock:
            entry = {"what": "delivery", "number": number, "made": made, "word": word, "resources": resources}
            self._write({**entry, "task_address": task_address})
            return replace(self.cases[number])

    def script(self, number: str, script: tuple[Scripted, ...]) -> Case:
        with self._lock:
            self._write({"what": "script", "number": number, "script": written(script)})
            return replace(self.cases[number])

    def refuse_once(self, number: str) -> None:
        with self._lock:
            self._write({"what": "refused", "number": number})

    def done(self, number: str, of_round: int, done: int, answer: Json) -> None:
        """Lines carried out; a script that came meanwhile begins at its own first line all the same."""
        with self._lock:
            self._write({"what": "done", "number": number, "round": of_round, "done": done, "answer": answer})

    def read(self, kind: str, resource_id: str) -> Json | None:
        with self._lock:
            return self._resources.get((kind, resource_id))

    def find(self, kind: str, system: str, value: str) -> Json | None:
        with self._lock:
            made = self._by_identifier.get((kind, system, value))
            return None if made is None else self._resources[kind, made]

    def case(self, number: str) -> Case:
        with self._lock:
            return replace(self.cases.get(number, Case(number)))

    def overview(self) -> Json:
        with self._lock:
            return {
                case.number: {
                    "script": [one.act for one in case.script or ()],
                    "done": case.done,
                    "answers": list(case.answers),
                }
                for case in self.cases.values()
            }

    def counts(self) -> Json:
        with self._lock:
            told = {number: many for number, many in self.updates.items() if many}
            return {"accepted": dict(self.accepted), "deliveries": dict(self.deliveries), "updates": told}

    def close(self) -> None:
        with self._lock:
            self._journal.close()


def new_id() -> str:
    return str(uuid4())

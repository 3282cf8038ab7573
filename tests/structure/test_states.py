"""The states in the documentation are those of the rules: the table is made from them and compared."""

from rules.referral.table import STEPS
from rules.referral.vocabulary import By, Direction, Priority, Progress, Stage
from rules.referral.waits import CLOCKS, waiting
from tests.make import NOW
from tests.tree import ROOT

WHO = {By.STAFF: "staff", By.CLINICIAN: "clinician", By.PARTNER: "partner", By.ENGINE: "engine"}


def states() -> str:
    """The referral's stages and steps as the page `infra/docs/states.md` shows them."""
    lines = [
        "# States",
        "",
        "Made from `rules/referral/`; `tests/structure/test_states.py` compares.",
        "",
        "## Referral: what each stage waits for",
        "",
        "| Stage | Next action when we refer | Owner | STAT / urgent / routine | Next action when referred to us |",
        "|---|---|---|---|---|",
        *(_stage(stage) for stage in Stage),
        "",
        "## Referral: steps",
        "",
        "| Step | From | To | By | Referred to us | Needs |",
        "|---|---|---|---|---|---|",
    ]
    for step, rule in STEPS.items():
        frm = ", ".join(sorted(rule.frm)) if len(rule.frm) < 12 else "any open stage"
        needs = ", ".join(rule.needs) or "–"
        who, incoming = _who(rule.by), _who(rule.incoming)
        lines.append(f"| {step} | {frm or '–'} | {rule.to or 'stays'} | {who} | {incoming} | {needs} |")
    return "\n".join(lines) + "\n"


def _stage(stage: Stage) -> str:
    ours = waiting(Progress(stage, since=NOW))
    theirs = waiting(Progress(stage, direction=Direction.IN, since=NOW))
    if ours is None or theirs is None:
        return f"| {stage} | ended | – | – | ended |"
    clocks = " / ".join(str(CLOCKS[stage][priority]) for priority in Priority)
    return f"| {stage} | {ours.action} | {ours.pool} | {clocks} | {theirs.action} |"


def _who(by: frozenset[By]) -> str:
    return ", ".join(words for one, words in WHO.items() if one in by) or "–"


def test_the_documented_states_are_those_of_the_rules() -> None:
    assert (ROOT / "infra" / "docs" / "states.md").read_text() == states()

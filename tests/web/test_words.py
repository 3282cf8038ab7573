"""Words and signs of the pages: every step has a sign, and every sign is drawn."""

from pathlib import Path

from rules.referral.vocabulary import Stage, Step
from web.operations.words import STATES
from web.present import STATUS_TAGS
from web.referrals.words import ICONS, STAGE_WORDS, stage_tag
from web.signed_in import PLACES

DRAWN = set((Path(__file__).parents[2] / "infra" / "vendor" / "icons.txt").read_text().split())


def test_every_step_has_a_sign_in_the_timeline() -> None:
    assert set(ICONS) == set(Step)


def test_every_sign_is_drawn() -> None:
    used = {*ICONS.values(), *(tag.icon for tag in STATUS_TAGS.values()), *(tag.icon for tag in STATES.values())}
    used |= {place.icon for _, place in PLACES}
    assert used - {""} <= DRAWN


def test_every_stage_has_a_word_with_a_tone() -> None:
    assert set(STAGE_WORDS) == set(Stage)
    assert all(stage_tag(stage).word in STATUS_TAGS or stage is Stage.PATIENT_TOLD for stage in Stage)

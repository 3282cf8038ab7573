"""For which case a fax may be: ranked, and never somebody else's."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from activities.records.queries.inbox import Suggestions, sender_of, suggestions, waiting_list
from infra.bootstrap import Parts
from rules.referral.vocabulary import Stage
from tests import make
from tests.documents import FAX, received, referral

DAY = timedelta(days=1)


class Cast:
    """Two partners, three people with referrals at different stages, and noise at the other clinic."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        make.clinics(parts)
        self.eskild = make.organization(parts, name="Dr Eskild", fax="(208) 555-0190")
        self.quarry = make.organization(parts, name="Quarrylight Eye Clinic", fax="+1 208 555 0170")
        self.wilhelm = make.patient(parts, family="Straatmann", given="Wilhelm", birth_date=date(1979, 7, 21))
        self.father = make.patient(parts, family="Straatmann", given="Wilhelm Sr", birth_date=date(1949, 7, 12))
        self.odette = make.patient(parts, family="Farnhamme", given="Odette", birth_date=date(1947, 2, 8))
        self.noise()

    def noise(self) -> None:
        theirs = make.organization(self.parts, make.HERONFIELD, name="Dr Eskild too", fax=FAX)
        person = make.patient(self.parts, make.HERONFIELD, family="Straatmann")
        referral(self.parts, person, theirs, context=make.HERONFIELD)

    def case(self, patient: UUID, partner: UUID, stage: Stage, days: int = 0, **fields: object) -> UUID:
        since = make.NOW - days * DAY
        return referral(self.parts, patient, partner, stage, since, make.LARKMOOR, **fields)

    def ask(self, sender: str = FAX, words: str = "") -> Suggestions:
        with self.parts.sessions.begin(make.LARKMOOR) as session:
            return suggestions(session, sender, words)

    def ids(self, sender: str = FAX, words: str = "") -> list[UUID]:
        return [one.request.id for one in self.ask(sender, words).cases]


def test_a_report_that_is_due_comes_first_and_the_longest_waiting_before_the_newer(cast: Cast) -> None:
    sent = cast.case(cast.wilhelm, cast.eskild, Stage.SENT, days=90)
    scheduled = cast.case(cast.odette, cast.eskild, Stage.SCHEDULED, days=1)
    newer = cast.case(cast.odette, cast.eskild, Stage.SEEN, days=3)
    older = cast.case(cast.wilhelm, cast.eskild, Stage.SEEN, days=19)
    assert cast.ids() == [older, newer, scheduled, sent]
    assert [one.report_due for one in cast.ask().cases] == [True, True, False, False]


def test_only_open_referrals_of_the_sender_are_suggested_unasked(cast: Cast) -> None:
    cast.case(cast.wilhelm, cast.eskild, Stage.CLOSED)
    cast.case(cast.wilhelm, cast.quarry, Stage.SEEN)
    assert cast.ids() == []
    assert cast.ask().patients == ()


@pytest.mark.parametrize("number", ["2085550190", "+12085550190", "(208) 555-0190", "1-208-555-0190"])
def test_a_sender_is_known_by_the_fax_number_however_it_is_written(cast: Cast, number: str) -> None:
    with cast.parts.sessions.begin(make.LARKMOOR) as session:
        found = sender_of(session, number)
        assert found is not None
        assert found.id == cast.eskild


@pytest.mark.parametrize("number", ["", "unknown", "555-0190", "(208) 555-0111"])
def test_an_unknown_number_suggests_nothing(cast: Cast, number: str) -> None:
    cast.case(cast.wilhelm, cast.eskild, Stage.SEEN)
    assert cast.ids(number) == []


def test_words_narrow_to_whom_they_name_and_find_closed_referrals_too(cast: Cast) -> None:
    closed = cast.case(cast.wilhelm, cast.eskild, Stage.CLOSED)
    elsewhere = cast.case(cast.wilhelm, cast.quarry, Stage.SEEN)
    cast.case(cast.odette, cast.eskild, Stage.SEEN)
    assert cast.ids(words="Straatmann") == [closed, elsewhere]
    assert {one.id for one in cast.ask(words="Straatmann").patients} == {cast.wilhelm, cast.father}


def test_name_and_birth_date_together_tell_a_son_from_his_father(cast: Cast) -> None:
    assert [one.id for one in cast.ask(words="Straatmann, Wilhelm 07/21/1979").patients] == [cast.wilhelm]
    assert [one.id for one in cast.ask(words="1949-07-12").patients] == [cast.father]
    assert cast.ask(words="Farnhamme 07/21/1979").patients == ()


def test_a_referral_is_found_by_its_number(cast: Cast) -> None:
    case = cast.case(cast.odette, cast.quarry, Stage.TRIAGE, number="R-20418")
    assert cast.ids(words="r-20418") == [case]
    assert cast.ids(words="20418") == []


def test_the_list_names_the_partner_whose_fax_it_was(cast: Cast) -> None:
    received(cast.parts, 1)
    received(cast.parts, 2, sender="unknown", at=make.NOW - DAY)
    with cast.parts.sessions.begin(make.LARKMOOR) as session:
        assert [one.sender.name if one.sender else "" for one in waiting_list(session)] == ["", "Dr Eskild"]


@pytest.fixture
def cast(parts: Parts) -> Cast:
    return Cast(parts)

"""The work queue's acts, orders and changes, on the real application."""

import re
from uuid import uuid4

import pytest

from activities.records.task import Task
from infra.bootstrap import Parts
from tests import make
from tests.web.reader import Reader, Shown


@pytest.fixture
def shown(parts: Parts) -> Shown:
    return Shown(parts)


@pytest.fixture
def nadia(shown: Shown) -> Reader:
    return shown.as_()


def rows(page: str) -> list[str]:
    """The patients of the rows, in order."""
    return re.findall(r'data-row data-acts="[^"]*" data-name="([^"]*)"', page)


def tasks(page: str) -> list[str]:
    return re.findall(r'name="task" value="([^"]*)"', page)


def owner(shown: Shown, task: str) -> str:
    with shown.parts.sessions.begin(make.LARKMOOR) as session:
        return str(session.get_one(Task, task).owner or "")


def test_the_most_urgent_row_comes_first_and_a_column_turns_the_order(nadia: Reader) -> None:
    urgent = rows(nadia.get("/queue?view=all").text)
    assert urgent[0] == "Ibarra-Quintanilla, Marisela"
    assert rows(nadia.get("/queue?view=all&sort=patient").text) == sorted(urgent)
    assert rows(nadia.get("/queue?view=all&sort=-patient").text) == sorted(urgent, reverse=True)


def test_a_view_that_holds_nothing_says_what_would_appear(nadia: Reader) -> None:
    page = nadia.get("/queue?view=no-shows").text
    assert "Nobody is waiting to be rebooked" in page
    assert rows(page) == []


def test_a_list_writes_one_audit_event_with_the_rows_it_showed(shown: Shown, nadia: Reader) -> None:
    shown_rows = tasks(nadia.get("/queue?view=all").text)
    events = [one for one in shown.audited("Task") if one.action == "R"]
    assert [one.detail["shown"] for one in events] == [shown_rows]
    assert events[0].detail["query"] == "view=all"


def test_an_act_comes_back_to_the_view_and_can_be_undone(shown: Shown, nadia: Reader) -> None:
    task, token = tasks(nadia.get("/queue?view=all").text)[0], str(uuid4())
    done = nadia.post("/tasks/claim", task=task, token=token, back="/queue?view=all&sort=due")
    assert done.headers["Location"] == f"/queue?view=all&sort=due&acted={token}"
    assert owner(shown, task) == str(shown.clinic.account("Nadia Ferro-Lund").id)
    assert "Undo" in nadia.get(done.headers["Location"]).text
    nadia.post("/tasks/undo", token=token, back="/queue?view=all")
    assert owner(shown, task) == ""


def test_a_task_that_somebody_took_first_is_not_taken_again(shown: Shown, nadia: Reader) -> None:
    task = tasks(nadia.get("/queue?view=all").text)[0]
    shown.as_("Tobias Wrenfield").post("/tasks/claim", task=task, token=str(uuid4()))
    refused = nadia.post("/tasks/claim", task=task, token=str(uuid4()), back="/queue?view=all")
    assert refused.status_code == 409
    assert "Tobias Wrenfield was faster" in refused.text


def test_a_task_is_handed_to_somebody_of_the_clinic_and_to_nobody_else(shown: Shown, nadia: Reader) -> None:
    task = tasks(nadia.get("/queue?view=all").text)[0]
    tobias, lettie = (str(shown.clinic.account(name).id) for name in ("Tobias Wrenfield", "Lettie Marchbank"))
    assert nadia.post("/tasks/assignment", task=task, owner=lettie, token=str(uuid4())).status_code == 400
    nadia.post("/tasks/assignment", task=task, owner=tobias, token=str(uuid4()))
    assert owner(shown, task) == tobias


def test_the_whole_view_is_claimed_at_once(shown: Shown, nadia: Reader) -> None:
    nadia.post("/tasks/claim", everything="view", token=str(uuid4()), back="/queue?view=all")
    assert len(rows(nadia.get("/queue?view=mine").text)) == 4


def test_an_act_never_leads_to_another_site(nadia: Reader) -> None:
    for back in ("https://elsewhere.example/queue", "//elsewhere.example/queue", "/logout"):
        assert nadia.post("/tasks/claim", token=str(uuid4()), back=back).headers["Location"].startswith("/queue")


def test_changes_count_what_is_new_to_the_page_and_mark_what_was_taken(shown: Shown, nadia: Reader) -> None:
    page = nadia.get("/queue?view=all").text
    found = re.search(r'hx-get="(/queue/changes[^"]*)"', page)
    assert found is not None
    address = found[1].replace("&amp;", "&")
    assert "show" not in nadia.get(address).text
    task = tasks(page)[0]
    shown.as_("Tobias Wrenfield").post("/tasks/claim", task=task, token=str(uuid4()))
    changed = nadia.get(address).text
    assert "1 changed: show" in changed
    assert f'id="owner-{task}"' in changed
    assert "taken by Tobias W." in changed


def test_the_next_page_goes_on_where_the_last_one_ended(nadia: Reader) -> None:
    whole = rows(nadia.get("/queue?view=all").text)
    for sort in ("", "&sort=due", "&sort=-patient"):
        page = nadia.get(f"/queue?view=all{sort}").text
        after = tasks(page)[1]
        rest = nadia.get(f"/queue?view=all{sort}&after={after}&first=3").text
        assert rows(rest) == rows(page)[2:]
        assert f"3–{len(whole)} of {len(whole)}" in rest

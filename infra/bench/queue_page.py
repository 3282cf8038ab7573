"""The work queue with three filters over very many open tasks, as a signed-in person gets it."""

import time
from pathlib import Path
from uuid import UUID

import psycopg
from sqlalchemy import text

from infra.bench.clinic import COORDINATOR, Browser, Clinic, account, patients, standing
from infra.bench.result import Result, at_most, beside_limit, beside_peer, percentile
from infra.supervisor.store_urls import libpq

FEW, MANY = 10_000, 100_000
ROUNDS, GETS, WARM = 3, 100, 20
PAGE = "/queue?view=all&owner=unassigned&priority=urgent&site=boise"

# One of 50 is STAT, one of 5 urgent, one of 5 is somebody's; sites, stages and due times are spread evenly.
FILL = text("""
insert into task (id, tenant, workflow_id, case_id, patient_id, kind, number, action, why, subject, stage, priority,
                  rank, pool, site, owner, due_at, status, opened_at, opened_key)
select gen_random_uuid(), 'larkmoor', 'larkmoor:referral:bench-' || n, gen_random_uuid(),
       (cast(:patients as uuid[]))[n % cardinality(cast(:patients as uuid[])) + 1],
       'referral', 'R-' || n, 'Call for the report', 'Seen 12 days ago', 'Gastroenterology',
       (array['draft', 'triage', 'scheduling', 'scheduled', 'seen', 'report_received', 'declined', 'awaiting_info',
              'no_show', 'reviewed'])[n % 10 + 1],
       case when n % 50 = 0 then 'stat' when n % 5 = 1 then 'urgent' else 'routine' end,
       case when n % 50 = 0 then 0 when n % 5 = 1 then 1 else 2 end,
       'referral_coordinator', (array['boise', 'coeur_dalene', ''])[n % 3 + 1],
       case when n % 7 = 0 then cast(:owner as uuid) end,
       now() + (n % 1440 - 480) * interval '1 hour', 'open', now() - n % 90 * interval '1 day', 'bench'
from generate_series(cast(:first as int), cast(:last as int)) as n
""")


def measure(folder: Path) -> list[Result]:
    """First with a tenth of the tasks, then with all of them."""
    with standing(folder) as clinic:
        who = account(clinic, COORDINATOR)
        known, browser = patients(clinic, 200), Browser(clinic, who)
        few = _filled(clinic, browser, known, who.id, 1, FEW)
        many = _filled(clinic, browser, known, who.id, FEW + 1, MANY)
        browser.close()
    return [
        beside_limit("queue-page", "ms p95", many, at_most(40)),
        beside_peer("queue-page-growth", "ms p95", many, f"with {FEW} tasks", few, at_most(1.25)),
    ]


def _filled(clinic: Clinic, browser: Browser, known: list[UUID], owner: UUID, first: int, last: int) -> list[float]:
    with clinic.parts.sessions.begin(clinic.system) as session:
        session.execute(FILL, {"patients": known, "owner": owner, "first": first, "last": last})
    with psycopg.connect(libpq(clinic.parts.settings.owner_url), autocommit=True) as store:
        store.execute("vacuum analyze task")
    _got(browser, WARM)
    return [percentile(_got(browser, GETS), 95) for _ in range(ROUNDS)]


def _got(browser: Browser, times: int) -> list[float]:
    """Milliseconds of each; every page has its 50 rows."""
    found = []
    for _ in range(times):
        began = time.monotonic()
        page = browser.get(PAGE).text
        found.append((time.monotonic() - began) * 1000)
        assert page.count('name="task"') == 50, "the queue does not show its 50 rows"
    return found

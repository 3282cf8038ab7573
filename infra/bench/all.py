"""Every benchmark, in the order in which they run."""

from infra.bench import (
    claim_race,
    decision,
    faults_referral,
    processes,
    queue_page,
    recovery,
    referrals,
    standing_up,
)
from infra.bench.runner import Benchmark

BENCHMARKS = (
    Benchmark("referrals", "referrals over the whole happy path, beside the bare engine", 110, referrals.measure),
    Benchmark("processes", "start, four store steps and an approval, sandboxed and not", 90, processes.measure),
    Benchmark("decision", "a decision through the web, beside the engine's own client", 40, decision.measure),
    Benchmark("queue", "the queue page over 100,000 open tasks, and over a tenth of them", 90, queue_page.measure),
    Benchmark("claim-race", "fifty people claim one task at once", 30, claim_race.measure),
    Benchmark("recovery", "the next decision after kill -9 of worker and engine", 60, recovery.measure),
    Benchmark("standing-up", "second start of the seeded clinic, and its memory when idle", 120, standing_up.measure),
    Benchmark(
        "faults-referral",
        "kill -9 of every process in turn while 200 referrals run",
        420,
        faults_referral.measure,
        large=True,
    ),
)

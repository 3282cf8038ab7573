"""Every benchmark, in the order in which they run."""

from infra.bench import referrals
from infra.bench.runner import Benchmark

BENCHMARKS = (Benchmark("referrals", "whole happy path, beside the bare engine", 90, referrals.measure),)

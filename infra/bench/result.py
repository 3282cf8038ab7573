"""What a benchmark says: a median beside its limit or its peer of the same run."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

LIMIT = "limit"


@dataclass(frozen=True)
class Bound:
    """How far a figure may go; `str()` is how a table shows it."""

    sign: str
    value: float

    def holds(self, measured: float) -> bool:
        return {"≥": measured >= self.value, "≤": measured <= self.value, "=": measured == self.value}[self.sign]

    def __str__(self) -> str:
        return f"{self.sign} {self.value:g}"


def at_least(value: float) -> Bound:
    return Bound("≥", value)


def at_most(value: float) -> Bound:
    return Bound("≤", value)


def exactly(value: float) -> Bound:
    return Bound("=", value)


@dataclass(frozen=True)
class Result:
    """One figure. `value` and `against_value` are medians in `unit`; `runs` are what `value` is the median of.

    `ratio` is value to against_value, of each run with the peer of the same run, and then the median. `against` names
    the peer, or is `limit`; `bound` is on the ratio beside a peer, else on the value. `met` is None without a bound.
    """

    name: str
    value: float
    unit: str
    against: str
    against_value: float | None
    ratio: float | None
    bound: str
    met: bool | None
    runs: tuple[float, ...]


def beside_limit(name: str, unit: str, runs: Sequence[float], bound: Bound) -> Result:
    """A figure that must keep a limit."""
    value = median(runs)
    ratio = _rounded(value / bound.value) if bound.value else None
    return Result(
        name, _rounded(value), unit, LIMIT, bound.value, ratio, str(bound), bound.holds(value), _all_rounded(runs)
    )


def beside_peer(
    name: str, unit: str, runs: Sequence[float], against: str, peers: Sequence[float], bound: Bound | None = None
) -> Result:
    """A figure beside a peer's of the same runs, whose ratio must keep the bound."""
    ratio = median(mine / other for mine, other in zip(runs, peers, strict=True))
    return Result(
        name,
        _rounded(median(runs)),
        unit,
        against,
        _rounded(median(peers)),
        _rounded(ratio),
        str(bound) if bound else "",
        bound.holds(ratio) if bound else None,
        _all_rounded(runs),
    )


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that `percent` of 100 do not exceed; two values or more."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def _rounded(value: float) -> float:
    return round(value, 3)


def _all_rounded(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(_rounded(one) for one in values)

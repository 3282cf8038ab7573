import time

from infra.bootstrap import Parts
from web.limits import TableStorage


def test_hits_are_counted_until_the_window_ends_and_then_anew(parts: Parts) -> None:
    counter = TableStorage(sessions=parts.sessions)

    assert [counter.incr("a", 60) for _ in range(3)] == [1, 2, 3]
    assert counter.incr("b", 0) == 1
    assert counter.get("b") == 0
    assert counter.incr("b", 60) == 1
    assert counter.get("a") == 3 and counter.get("nothing") == 0
    assert 50 < counter.get_expiry("a") - time.time() <= 60


def test_a_key_or_everything_can_be_forgotten(parts: Parts) -> None:
    counter = TableStorage(sessions=parts.sessions)
    counter.incr("a", 60)
    counter.incr("b", 60)
    counter.clear("a")

    assert (counter.get("a"), counter.get("b")) == (0, 1)
    counter.reset()
    assert counter.get("b") == 0
    assert counter.check()

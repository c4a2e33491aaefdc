"""Limits hold over all processes where there is Redis, and in each of them where there is none."""

from pathlib import Path

import limits
import pytest

from dispatch.engine.throttle import Throttle
from dispatch.errors import TooMany
from tests.servers import redis_server

FEW = limits.RateLimitItemPerMinute(5)


def taken(throttle: Throttle, who: str, tries: int = 20) -> int:
    for k in range(tries):
        try:
            throttle.take(FEW, who)
        except TooMany:
            with pytest.raises(TooMany) as told:
                throttle.check(FEW, who)
            assert 0 < told.value.wait_s <= 61
            return k
    return tries


def test_in_one_process_everybody_has_the_own_count() -> None:
    throttle = Throttle(None)
    assert taken(throttle, "one") == taken(throttle, "two") == 5


@pytest.mark.redis
def test_two_processes_count_together_and_go_on_alone_while_redis_is_away(tmp_path: Path) -> None:
    with redis_server(tmp_path) as url:
        one, two = Throttle(url), Throttle(url)
        one.take(FEW, "jeanne@example.org")
        one.take(FEW, "jeanne@example.org")
        assert taken(two, "jeanne@example.org") == 3
        keys = [str(key) for key in one._shared.storage.storage.scan_iter()]  # type: ignore[union-attr]
        assert keys
        assert not any("jeanne" in key for key in keys)
    assert taken(one, "jeanne@example.org") == taken(two, "jeanne@example.org") == 5

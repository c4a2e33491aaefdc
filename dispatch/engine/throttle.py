"""How often somebody may do something: limits that hold over all API processes where there is Redis, and per process where there is none.

In: a limit and whom it is for. Out: nothing, or TooMany with the seconds to wait. Whom it is for is kept as a digest, never as it is.
"""

import hashlib
import time

import limits
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError

from dispatch.errors import TooMany

Limit = limits.RateLimitItem
LOGINS = limits.RateLimitItemPerMinute(10, 15)  # of one account, right or wrong
WRONG = limits.RateLimitItemPerMinute(60, 15)  # wrong passwords and codes, from one address
STRANGERS = limits.RateLimitItemPerMinute(120)  # calls with keys and cookies that open nothing, from one address
JOURNEYS = limits.RateLimitItemPerMinute(60, 15)  # to the identity provider and back, from one address
ROUNDS = limits.RateLimitItemPerMinute(30)  # asked for by hand, in one territory
CALENDARS = limits.RateLimitItemPerMinute(30)  # looks at one calendar
BULK = limits.RateLimitItemPerMinute(20)  # imports and exports of one caller


class Throttle:
    """Counts. While Redis is away each process counts for itself."""

    def __init__(self, redis_url: str | None) -> None:
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._shared: MovingWindowRateLimiter | None = None
        if redis_url is not None:  # connects when it is asked
            storage = RedisStorage(redis_url, key_prefix="allons:limits", socket_timeout=0.5, socket_connect_timeout=0.5)
            self._shared = MovingWindowRateLimiter(storage)
        self._away_until = 0.0

    def take(self, limit: Limit, *who: object) -> None:
        """Count one; TooMany beyond the limit. Cost: microseconds, or two round trips where there is Redis."""
        self._ask(limit, who, count=True)

    def check(self, limit: Limit, *who: object) -> None:
        """TooMany when nothing is left; counts nothing."""
        self._ask(limit, who, count=False)

    def _ask(self, limit: Limit, who: tuple[object, ...], *, count: bool) -> None:
        name = hashlib.sha256(repr(who).encode()).hexdigest()[:32]

        def ask(limiter: MovingWindowRateLimiter) -> None:
            if not (limiter.hit if count else limiter.test)(limit, name):
                raise TooMany(wait_s=round(limiter.get_window_stats(limit, name).reset_time - time.time()) + 1)

        try:
            ask(self._limiter())
        except (RedisError, OSError):
            self._away_until = time.monotonic() + 5  # seconds in which nobody waits for it again
            ask(self._own)

    def _limiter(self) -> MovingWindowRateLimiter:
        return self._own if self._shared is None or time.monotonic() < self._away_until else self._shared

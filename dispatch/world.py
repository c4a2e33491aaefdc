"""Clock, ids and randomness behind one small object, so that a simulated month is a test.

Everything that needs the present moment, a new id or a secret takes a `World`; nothing else asks the operating system, but for the
exceptions that `tests/test_world.py` names. Leases of rounds go by the database's clock even in a simulated world: they guard against
workers that are really there, and a simulation with one worker never loses one.
"""

import random
import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4


class World:
    """The real one."""

    simulated = False  # then the database's clock is the better one: there is one of it

    def now(self) -> datetime:
        """The present instant, UTC."""
        return datetime.now(UTC)

    def new_id(self) -> UUID:
        """An id that says nothing about what it names."""
        return uuid4()

    def token(self, size_bytes: int) -> str:
        """A secret, as hexadecimal text."""
        return secrets.token_hex(size_bytes)


class FixedWorld(World):
    """A world of one's own for tests and simulations: time stands until it is moved, ids and tokens come from a seed."""

    simulated = True

    def __init__(self, now: datetime, seed: int = 1) -> None:
        self._now = now.astimezone(UTC)
        self._random = random.Random(seed)

    def now(self) -> datetime:
        return self._now

    def advance(self, step: timedelta) -> None:
        """Let time pass."""
        self._now += step

    def new_id(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)

    def token(self, size_bytes: int) -> str:
        return self._random.randbytes(size_bytes).hex()

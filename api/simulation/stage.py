"""What every actor of a simulated month shares: the clock's agenda, chance, the service, and who speaks to it as what."""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from api.simulation.service import Caller, Service

DEBOUNCE = timedelta(minutes=2)  # what happens meanwhile is planned together


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What is asked of the simulation."""

    start: date
    days: int
    seed: int
    demand: float = 1.0  # times the usual one of `actors.REQUESTS_A_DAY`
    volunteers: int = 0  # more than the usual `actors.VOLUNTEERS`, or fewer


@dataclass(slots=True)
class Stage:
    """One platform."""

    service: Service
    wishes: Wishes
    timezone: str
    rng: random.Random
    coordinator: Caller
    callers: dict[str, Caller] = field(default_factory=dict)  # by role, and of volunteers and beneficiaries by id
    counted: dict[str, int] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    _agenda: list[tuple[datetime, int, Callable[[], Any]]] = field(default_factory=list)
    _number: int = 0
    _turn_at: datetime | None = None
    after_turn: list[Callable[[], Any]] = field(default_factory=list)  # who looks at what is new

    def at(self, day: date, clock: str | time) -> datetime:
        """A moment on the wall of the territory."""
        wall = time.fromisoformat(clock) if isinstance(clock, str) else clock
        return datetime.combine(day, wall, ZoneInfo(self.timezone))

    def today(self) -> date:
        return self.service.world.now().astimezone(ZoneInfo(self.timezone)).date()

    def now(self) -> datetime:
        return self.service.world.now()

    def plan(self, moment: datetime, act: Callable[[], Any]) -> None:
        """Something will be done; at once where the moment is past."""
        self._number += 1  # of two that are done at the same moment, the one that was planned first
        heapq.heappush(self._agenda, (max(moment, self.now()), self._number, act))

    def soon(self) -> None:
        """The service takes a turn before long: somebody rang."""
        due = self.now() + DEBOUNCE
        if self._turn_at is None or self._turn_at > due:
            self._turn_at = due
            self.plan(due, self.turn)

    def turn(self) -> None:
        self._turn_at = None
        self.service.turn()
        for look in self.after_turn:
            look()

    def play(self, end: datetime) -> None:
        """Everything until then, in the order of the clock."""
        while self._agenda and self._agenda[0][0] <= end:
            moment, _, act = heapq.heappop(self._agenda)
            self.service.go_to(moment)
            act()

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def count(self, what: str, by: int = 1) -> None:
        self.counted[what] = self.counted.get(what, 0) + by

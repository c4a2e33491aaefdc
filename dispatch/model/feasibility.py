"""What is said to somebody who asks whether a ride would be possible: with whom, and if not, what would work instead.

Made by `engine.feasibility`; answered by the API. Every volunteer and every alternative was put into the day and proved by the checker.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from dispatch.model.asking import Direction

#: another time on the same day; another day at the same time; one way alone; one volunteer gives more time, kilometres or room.
AlternativeKind = Literal["other_time", "other_day", "one_way", "volunteer_more"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Helper:
    """A volunteer who could drive, the plan of others staying as it is."""

    volunteer_id: UUID
    ways: tuple[Direction, ...]
    km: float  # more, from home to home
    minutes: int  # more, away from home
    known: bool  # to the person
    preferred: bool  # by the person
    leaves_home: datetime
    back_home: datetime
    sentence: str  # French
    sentence_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why nobody can drive a way as it is asked for."""

    direction: Direction
    reason: str
    sentence: str
    sentence_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """What would work instead: the wish's times as they would be asked for, and who could drive then."""

    kind: AlternativeKind
    sentence: str
    sentence_en: str
    arrive_by: datetime | None
    depart_after: datetime | None
    return_after: datetime | None
    direction: Direction | None = None  # of one way alone
    volunteer_id: UUID | None = None  # who would have to give more
    minutes: int | None = None  # more of a volunteer's time
    helpers: tuple[Helper, ...] = ()

"""A plan: the stable exchange format `allons-plan/1` (docs/plan-format.md).

Made by `dispatch.planning`, proved by `check.py`, stored by a round, printed by `allons plan`.
Ids are those of the `Day`; times are aware local date-times; lengths are metres in stops, kilometres in sums.
"""

import datetime as dt
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from dispatch.model.day import Direction, Point


class Reason(StrEnum):
    """Why a leg has nobody. The order is that of the tests a volunteer must pass."""

    UNREACHABLE = "UNREACHABLE"
    REFUSED_PAIR = "REFUSED_PAIR"
    NEEDS_UNMET = "NEEDS_UNMET"
    CAPACITY = "CAPACITY"
    TOO_FAR = "TOO_FAR"
    NO_DRIVER_WINDOW = "NO_DRIVER_WINDOW"
    RIDE_TIME = "RIDE_TIME"
    TIME_LIMIT = "TIME_LIMIT"


class _Noun(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Stop(_Noun):
    """One place of a run. `home` opens and closes a run, and stands inside it when the volunteer goes home in between.

    A run that is under way begins with a `position`, and with those who are `aboard` there.
    """

    kind: Literal["home", "position", "aboard", "pickup", "dropoff"]
    request: str | None = None
    leg: Direction | None = None
    place: Point
    arrive: AwareDatetime
    start: AwareDatetime = Field(description="Service starts; after `arrive` when the volunteer waits.")
    depart: AwareDatetime
    metres: int = Field(ge=0, description="Driven since the previous stop.")
    seats: int = Field(ge=0, description="Seats taken when leaving.")
    wheelchairs: int = Field(ge=0)
    boot: int = Field(ge=0)


class ServedLeg(_Noun):
    """One person's way in a run, with the time to tell."""

    request: str
    leg: Direction
    told_pickup: AwareDatetime = Field(description="Pickup rounded down as the territory tells it.")
    pickup: AwareDatetime
    dropoff: AwareDatetime
    ride_minutes: float
    direct_minutes: float


class Run(_Noun):
    """What one volunteer drives in one shift, from home to home."""

    driver: str
    shift: int = Field(ge=0, description="Index in the driver's shifts.")
    leaves_home: AwareDatetime
    back_home: AwareDatetime
    km: float
    km_empty: float
    wait_minutes: float
    legs: tuple[ServedLeg, ...]
    stops: tuple[Stop, ...]


class Unserved(_Noun):
    """A leg that nobody can drive: a value, with its reason, in words."""

    id: str
    request: str
    leg: Direction
    reason: Reason
    sentence: str = Field(description="French.")
    sentence_en: str
    blocked: dict[Reason, int] = Field(description="How many volunteers each rule rules out.")
    smallest_change: str | None = None


class Touched(_Noun):
    """A promise that this plan does not keep: somebody who must be told."""

    request: str
    leg: Direction
    how: Literal["driver_changed", "moved", "dropped"]
    before: str = Field(description="The volunteer who was told.")
    after: str | None = Field(description="The volunteer now; null when there is none.")
    minutes: int = Field(0, description="The told pickup moves by so many minutes, later is positive.")
    sentence: str = Field(description="French.")
    sentence_en: str


class Note(_Noun):
    """Something about the day that a coordinator should know; the plan stands all the same."""

    subject: str
    sentence: str = Field(description="French.")
    sentence_en: str


class Levels(_Noun):
    """The objective, most important first (docs/planning-problem.md, section 4). Smaller is better on each level."""

    unserved_priority: int
    broken_promises: int
    cost: int = Field(description="Thousandths of a cent: metres x rate and waiting beyond the free minutes x rate.")
    comfort: int = Field(description="Seconds in the car beyond direct, times persons.")
    goodwill: int

    def as_tuple(self) -> tuple[int, int, int, int, int]:
        """For comparison: lexicographic."""
        return (self.unserved_priority, self.broken_promises, self.cost, self.comfort, self.goodwill)


class Certificate(_Noun):
    """How far the plan can be from the best one on levels 1 and 3 folded into one sum, in euros; or why nothing is proved."""

    lower_bound: float | None = Field(None, description="No legal plan is below this sum.")
    value: float | None = Field(None, description="Of this plan.")
    gap: float | None = Field(None, description="(value - lower_bound) / lower_bound")
    unserved_weight: float | None = Field(None, description="One unserved leg of priority 1 counts as much as this.")
    legs_together: int | None = Field(
        None, description="The bound holds for plans in which at most so many ways hang together without an empty car; null: for all plans."
    )
    no_proof: Literal["NOT_COMPUTED", "MORE_TOGETHER", "CONTRADICTION", "NOTHING_TO_SERVE"] | None = Field(
        None,
        description="Why there is no proof: not computed in the time given; the plan takes more people together than the bound looked at; "
        "bound and plan contradict each other; there is nothing to serve.",
    )


class Summary(_Noun):
    """The figures of a plan."""

    legs: int
    served: int
    unserved: int
    km_total: float
    km_empty: float
    wait_minutes: float
    seconds: float | None = Field(description="Spent searching; null under an iteration budget: such a plan depends on its input only.")
    certificate: Certificate = Certificate(no_proof="NOT_COMPUTED")
    violations: int
    levels: Levels


class Plan(_Noun):
    """Who drives whom, when, and who is left without."""

    format: Literal["allons-plan/1"] = "allons-plan/1"
    date: dt.date
    timezone: str
    summary: Summary
    runs: tuple[Run, ...]
    unserved: tuple[Unserved, ...]
    touched: tuple[Touched, ...] = Field((), description="Promises that are not kept; all others are, as they were told.")
    notes: tuple[Note, ...] = ()

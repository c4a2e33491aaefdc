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


class Terms(_Noun):
    """What one way adds to a plan, by the levels of the objective; or how much more another volunteer would add."""

    broken_promises: int
    km: float = Field(description="From home to home.")
    wait_minutes: float = Field(0.0, description="Waiting beyond the free minutes of each wait, where a minute of it costs anything.")
    wait_cents: float = Field(description="What these minutes cost.")
    run_cents: int = Field(description="Calling on one more volunteer, or for one more shift.")
    ride_minutes: float = Field(description="In the car beyond the direct drive, of everybody in the run, times persons.")
    load: int = Field(description="Goodwill: a volunteer who has driven much over four weeks counts more.")
    known: int = Field(description="Goodwill: less for a volunteer whom the person knows.")
    preferred: int = Field(description="Goodwill: less for the volunteer whom the person wishes for.")
    both_ways: int = Field(description="Goodwill: less for the same volunteer both ways.")


class RunnerUp(_Noun):
    """Another volunteer who could drive this way, the rest of the plan staying as it is."""

    driver: str
    difference: Terms = Field(description="Against the chosen volunteer; the first level that differs decides.")
    sentence: str = Field(description="French.")
    sentence_en: str


class Why(_Noun):
    """Why this volunteer: what the way adds to the plan, and the next best volunteers."""

    terms: Terms
    together: bool = Field(description="Both ways need the same volunteer: the terms are those of both.")
    runners_up: tuple[RunnerUp, ...] = Field(max_length=2)
    sentence: str = Field(description="French.")
    sentence_en: str


class ServedLeg(_Noun):
    """One person's way in a run, with the time to tell."""

    request: str
    leg: Direction
    told_pickup: AwareDatetime = Field(description="Pickup rounded down as the territory tells it.")
    pickup: AwareDatetime
    dropoff: AwareDatetime
    ride_minutes: float
    direct_minutes: float
    why: Why | None = None


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


class ChangeKind(StrEnum):
    """What a coordinator may ask somebody for. Each changes one thing of a day (`dispatch.model.changes`)."""

    WINDOW_LATER = "WINDOW_LATER"
    WINDOW_EARLIER = "WINDOW_EARLIER"
    SHIFT_UNTIL = "SHIFT_UNTIL"
    SHIFT_FROM = "SHIFT_FROM"
    MORE_KM = "MORE_KM"
    ONE_MORE_SEAT = "ONE_MORE_SEAT"
    ONE_MORE_WHEELCHAIR_PLACE = "ONE_MORE_WHEELCHAIR_PLACE"
    ONE_MORE_BOOT_UNIT = "ONE_MORE_BOOT_UNIT"
    ONE_WAY = "ONE_WAY"
    REFUSAL_LIFTED = "REFUSAL_LIFTED"


class SmallestChange(_Noun):
    """The least change of the day with which a leg, and its other way where both are needed, finds room in the plan as it stands."""

    kind: ChangeKind
    request: str
    leg: Direction = Field(description="Whose window moves, or which way is served; otherwise that of the unserved leg.")
    driver: str | None = Field(None, description="The volunteer concerned, for changes that concern one.")
    shift: int | None = Field(None, ge=0, description="Index in the driver's shifts, for the shift that is made longer.")
    amount: int = Field(ge=1, description="Minutes of windows and shifts, kilometres, otherwise 1.")
    sentence: str = Field(description="French.")
    sentence_en: str


class Unserved(_Noun):
    """A leg that nobody can drive: a value, with its reason, in words."""

    id: str
    request: str
    leg: Direction
    reason: Reason
    sentence: str = Field(description="French.")
    sentence_en: str
    blocked: dict[Reason, int] = Field(description="How many volunteers each rule rules out.")
    smallest_change: SmallestChange | None = Field(None, description="None where no single change of those looked at makes room.")


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


class ShadowPrice(_Noun):
    """What one more volunteer with this home, these hours and this car would be worth: where and when to look for somebody."""

    driver: str
    shift: int = Field(ge=0, description="Index in the driver's shifts.")
    legs: float = Field(description="At most so many more ways of priority 1, or kilometres of the same worth.")
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

    lower_bound: float | None = Field(None, description="No legal plan of those that `legs_together` names is below this sum.")
    value: float | None = Field(None, description="Of this plan.")
    gap: float | None = Field(
        None, description="(value - lower_bound) / lower_bound; 0 where this plan is below the bound for simpler ones."
    )
    unserved_weight: float | None = Field(None, description="One unserved leg of priority 1 counts as much as this.")
    legs_together: int | None = Field(
        None, description="The bound holds for plans in which at most so many ways hang together without an empty car; null: for all plans."
    )
    plan_together: int | None = Field(
        None,
        description="Ways that hang together here; where that is more than `legs_together`, the plan is held against simpler ones.",
    )
    no_proof: Literal["NOT_COMPUTED", "CONTRADICTION", "NOTHING_TO_SERVE"] | None = Field(
        None,
        description="Why there is no proof: not computed in the time given; bound and plan contradict each other; nothing to serve.",
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
    shadow_prices: tuple[ShadowPrice, ...] = Field(
        (), description="Of the bound's linear program, the highest first; none without a bound."
    )
    notes: tuple[Note, ...] = ()

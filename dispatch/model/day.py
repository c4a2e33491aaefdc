"""A day to plan: the stable exchange format `allons-day/1` (docs/day-format.md).

Read from a file by `allons plan`, made from the database by a round: both ways lead to the same planner.
Strict: unknown fields, NaN, wrong types and contradictions are refused with the field's name.
"""

import datetime as dt
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from dispatch.model.clock import Clock, ServiceDate, Zone, to_instant

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
Need = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
Lon = Annotated[float, Field(ge=-180, le=180)]
Lat = Annotated[float, Field(ge=-90, le=90)]
Point = tuple[Lon, Lat]
Direction = Literal["outbound", "return"]
Lock = Literal["none", "driver", "time", "both"]


class _Noun(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Policy(_Noun):
    """The territory's choices that decide what is legal and what is better."""

    ride_factor: float = Field(1.5, ge=1, le=10, description="A ride may last this many times the direct drive,")
    ride_extra_minutes: int = Field(20, ge=0, le=600, description="or the direct drive and this much more, whichever is longer.")
    cents_per_km: int = Field(32, ge=0, le=1000, description="Cost of a kilometre, home to home.")
    cents_per_run: int = Field(0, ge=0, le=100_000, description="Cost of calling on one more volunteer, whatever the distance.")
    wait_cents_per_minute: int = Field(3, ge=0, le=1000, description="Cost of a minute waited away from home.")
    free_wait_minutes: int = Field(15, ge=0, le=600, description="The first minutes of each wait cost nothing.")
    told_rounding_minutes: int = Field(5, ge=1, le=60, description="Times told to people are rounded down to this.")
    promise_tolerance_minutes: int = Field(10, ge=0, le=240, description="A told time may move this much and still be kept.")
    snap_limit_metres: int = Field(500, ge=10, le=10_000, description="A point farther than this from any road is refused.")


class Driver(_Noun):
    """A volunteer on this day. Capacities are what the car offers to passengers."""

    id: Id
    home: Point
    shifts: tuple[tuple[Clock, Clock], ...] = Field(max_length=12)
    seats: int = Field(4, ge=0, le=8)
    wheelchair_places: int = Field(0, ge=0, le=4)
    boot: int = Field(4, ge=0, le=20, description="Boot units: a folded wheelchair takes 2, a walker 1.")
    max_km: float | None = Field(None, ge=0, le=2000, description="Kilometres left for this day, home to home.")
    max_rides: int | None = Field(None, ge=0, le=100, description="Legs left for this day.")
    max_duty_minutes: int | None = Field(
        None, ge=1, le=2880, description="Longest time from leaving home to being back for good, in one shift."
    )
    accepts_needs: tuple[Need, ...] = Field((), max_length=60)
    refuses: tuple[Id, ...] = Field((), max_length=1000, description="Beneficiaries this volunteer does not drive.")
    knows: tuple[Id, ...] = Field((), max_length=1000, description="Beneficiaries already driven before, or known well.")
    preferred_by: tuple[Id, ...] = Field((), max_length=1000, description="Beneficiaries who would rather ride with this volunteer.")
    recent_rides: int = Field(0, ge=0, le=1000, description="Legs driven over the last four weeks.")


class Request(_Noun):
    """One person's wish for a ride, with or without the way back."""

    id: Id
    beneficiary: Id
    origin: Point
    destination: Point
    arrive_by: Clock | None = None
    depart_after: Clock | None = None
    window_minutes: int = Field(30, ge=0, le=1440)
    return_after: Clock | None = None
    return_window_minutes: int | None = Field(None, ge=0, le=1440, description="As `window_minutes` when absent.")
    seats: int = Field(1, ge=1, le=8, description="Persons travelling, the beneficiary and companions.")
    wheelchair: bool = Field(False, description="The beneficiary sits in the wheelchair, and takes a wheelchair place instead of a seat.")
    boot: int = Field(0, ge=0, le=20)
    needs: tuple[Need, ...] = Field((), max_length=30)
    alone: bool = Field(False, description="Nobody else may be aboard.")
    load_minutes: int = Field(3, ge=0, le=60)
    unload_minutes: int = Field(2, ge=0, le=60)
    max_ride_minutes: int | None = Field(None, ge=1, le=1440, description="Shorter than the territory's limit for this person.")
    priority: int = Field(1, ge=1, le=1000)
    prefers_driver: Id | None = Field(None, description="For this request; `preferred_by` of a driver is for all of a person.")
    requires_driver: Id | None = None
    refuses: tuple[Id, ...] = Field((), max_length=20_000, description="Volunteers not to be asked for this request.")
    one_way_ok: bool = Field(False, description="One of the two ways is better than none.")
    same_driver: Literal["prefer", "require"] = "prefer"
    wait: bool = Field(
        False, description="The volunteer waits there, driving nobody else, and brings the person back; `same_driver` is required."
    )


class Promise(_Noun):
    """What somebody was told before this plan, and how firmly it stands."""

    request: Id
    leg: Direction
    driver: Id
    pickup_at: Clock
    lock: Lock = "none"


class OverLeg(_Noun):
    """A way that is driven, cancelled or missed: it is not planned any more, its other way still may be."""

    request: Id
    leg: Direction
    driver: Id | None = Field(None, description="Who drove it; null when nobody did.")


class CommittedStop(_Noun):
    """A stop that a started run will make whatever happens: the one under way, and the drop-off of everybody aboard."""

    request: Id
    leg: Direction
    kind: Literal["pickup", "dropoff"]
    picked_up_at: Clock | None = Field(None, description="When the ride began, for the drop-off of somebody who is aboard.")


class StartedRun(_Noun):
    """A volunteer who is out: from here and now on the run can still change."""

    driver: Id
    shift: int = Field(0, ge=0, description="Index in the driver's shifts.")
    left_home_at: Clock
    at: Point = Field(description="Where the volunteer is; the place of the stop under way, where there is one.")
    free_at: Clock = Field(description="When the volunteer is there, or can leave it.")
    committed: tuple[CommittedStop, ...] = Field((), max_length=60, description="In the order planned, the stop under way first.")


class LockedRun(_Noun):
    """A run that must stay as it is: nobody leaves it, nobody joins it. Its people are those promised this volunteer in this shift."""

    driver: Id
    shift: int = Field(0, ge=0, description="Index in the driver's shifts.")


class Day(_Noun):
    """Everything the planner needs to know about one service day of one territory."""

    format: Literal["allons-day/1"] = "allons-day/1"
    date: ServiceDate = Field(strict=False)
    timezone: Zone = "Europe/Paris"
    policy: Policy = Policy()
    drivers: tuple[Driver, ...] = Field(max_length=20_000)
    requests: tuple[Request, ...] = Field(max_length=50_000)
    promises: tuple[Promise, ...] = Field((), max_length=100_000)
    now: Clock | None = Field(None, description="Nobody leaves home before; null: the whole day is still ahead.")
    over: tuple[OverLeg, ...] = Field((), max_length=100_000, description="Ways that are over; `max_km` and `max_rides` are what is left.")
    started: tuple[StartedRun, ...] = Field((), max_length=20_000)
    locked_runs: tuple[LockedRun, ...] = Field((), max_length=20_000)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        faults = [*_repeated("drivers", [d.id for d in self.drivers]), *_repeated("requests", [r.id for r in self.requests])]
        for d, driver in enumerate(self.drivers):
            for k, shift in enumerate(driver.shifts):
                faults += self._ordered(("drivers", d, "shifts", k), shift[0], shift[1], "must end after it starts", strictly=True)
            if not faults:
                faults += self._overlaps(d, driver)
        for r, request in enumerate(self.requests):
            faults += self._request_faults(("requests", r), request)
        known = {request.id: request for request in self.requests}
        drivers = {driver.id for driver in self.drivers}
        for p, promise in enumerate(self.promises):
            at = ("promises", p)
            faults += self._clock_faults((*at, "pickup_at"), promise.pickup_at)
            if promise.request not in known:
                faults.append(((*at, "request"), "is not the id of a request of this day"))
            elif promise.leg == "return" and known[promise.request].return_after is None:
                faults.append(((*at, "leg"), "names a return that the request does not have"))
            if promise.driver not in drivers:
                faults.append(((*at, "driver"), "is not the id of a driver of this day"))
        faults += self._present_faults(known, {driver.id: len(driver.shifts) for driver in self.drivers})
        if faults:
            raise ValidationError.from_exception_data(
                "Day",
                [
                    InitErrorDetails(type=PydanticCustomError("value_error", "{error}", {"error": sentence}), loc=loc, input=None)
                    for loc, sentence in faults[:50]
                ],
            )
        return self

    def _present_faults(self, known: dict[str, Request], shifts: dict[str, int]) -> list["_Found"]:
        """What has happened and what is locked must concern people, volunteers and shifts of this day, each once."""
        faults = [] if self.now is None else self._clock_faults(("now",), self.now)
        used: list[tuple[_Loc, tuple[str, Direction]]] = [(("over", k), (done.request, done.leg)) for k, done in enumerate(self.over)]
        for r, run in enumerate(self.started):
            at: _Loc = ("started", r)
            faults += self._clock_faults((*at, "left_home_at"), run.left_home_at) + self._clock_faults((*at, "free_at"), run.free_at)
            picked = {(stop.request, stop.leg) for stop in run.committed if stop.kind == "pickup"}
            dropped = [(stop.request, stop.leg) for stop in run.committed if stop.kind == "dropoff"]
            if not picked <= set(dropped) or len(set(dropped)) < len(dropped):
                faults.append(((*at, "committed"), "everybody who is picked up must be dropped off, once"))
            used += [((*at, "committed"), leg) for leg in dropped]
            for k, stop in enumerate(run.committed):
                aboard = stop.kind == "dropoff" and (stop.request, stop.leg) not in picked
                if aboard != (stop.picked_up_at is not None):
                    faults.append(((*at, "committed", k, "picked_up_at"), "say when somebody aboard was picked up, and of nobody else"))
                elif stop.picked_up_at is not None:
                    faults += self._clock_faults((*at, "committed", k, "picked_up_at"), stop.picked_up_at)
        for at, (request, leg) in used:
            if request not in known or (leg == "return" and known[request].return_after is None):
                faults.append((at, "names somebody's way that this day does not have"))
        if len({leg for _, leg in used}) < len(used):
            faults.append((("started",), "the same way is over or aboard twice"))
        runs: list[tuple[_Loc, tuple[str, int]]] = [(("started", k), (run.driver, run.shift)) for k, run in enumerate(self.started)]
        locked: list[tuple[_Loc, tuple[str, int]]] = [
            (("locked_runs", k), (run.driver, run.shift)) for k, run in enumerate(self.locked_runs)
        ]
        for at, (driver, shift) in [*runs, *locked]:
            if shift >= shifts.get(driver, 0):
                faults.append(((*at, "shift"), "is not a shift of a driver of this day"))
        if len({driver for _, (driver, _) in runs}) < len(runs):
            faults.append((("started",), "nobody can be out twice"))
        faults += [
            ((*("over", k), "driver"), "is not the id of a driver of this day")
            for k, d in enumerate(self.over)
            if d.driver is not None and d.driver not in shifts
        ]
        return faults

    def _overlaps(self, d: int, driver: Driver) -> list["_Found"]:
        """Nobody is in two places at once: the planner takes each shift for itself."""
        instants = [tuple(to_instant(self.date, clock, self.timezone) for clock in shift) for shift in driver.shifts]
        order = sorted(range(len(instants)), key=instants.__getitem__)
        return [
            (("drivers", d, "shifts", later), "overlaps another shift of this volunteer; join them")
            for earlier, later in pairwise(order)
            if instants[later][0] < instants[earlier][1]
        ]

    def _request_faults(self, at: "_Loc", request: Request) -> list["_Found"]:
        if (request.arrive_by is None) == (request.depart_after is None):
            return [((*at, "arrive_by"), "give either arrive_by or depart_after, not both and not neither")]
        name = "arrive_by" if request.arrive_by else "depart_after"
        out = request.arrive_by or request.depart_after or ""
        faults = self._clock_faults((*at, name), out)
        if request.wait and request.same_driver != "require":
            faults.append(((*at, "wait"), "needs same_driver to be require"))
        if request.return_after is not None and not faults:
            faults = self._ordered((*at, "return_after"), out, request.return_after, "must not be before the way there")
        return faults

    def _clock_faults(self, at: "_Loc", clock: str) -> list["_Found"]:
        try:
            away = to_instant(self.date, clock, self.timezone) - to_instant(self.date, "12:00", self.timezone)
        except ValueError as error:
            return [(at, str(error))]
        return [(at, "is not on this service day")] if abs(away) > dt.timedelta(hours=36) else []

    def _ordered(self, at: "_Loc", first: str, last: str, sentence: str, *, strictly: bool = False) -> list["_Found"]:
        faults = self._clock_faults(at, first) + self._clock_faults(at, last)
        if not faults:
            begins, ends = (to_instant(self.date, clock, self.timezone) for clock in (first, last))
            if ends < begins or (strictly and ends == begins):
                faults.append((at, sentence))
        return faults


_Loc = tuple[int | str, ...]
_Found = tuple[_Loc, str]


def _repeated(name: str, ids: list[str]) -> list[_Found]:
    seen: set[str] = set()
    faults: list[_Found] = []
    for k, noun_id in enumerate(ids):
        if noun_id in seen:
            faults.append(((name, k, "id"), "is used twice on this day; ids must differ"))
        seen.add(noun_id)
    return faults

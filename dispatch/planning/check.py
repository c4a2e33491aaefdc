"""Independent proof of a plan: docs/planning-problem.md in code, sharing nothing with the search but `problem.py`.

In: a problem and a plan as people see it (ids and date-times). Out: every violation, in words. Called after every solve, by
`allons check`, and by the tests on everything that any solver makes. Plain Python on purpose: slow, short, easy to read.
"""

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from dispatch.model.plans import Levels, Plan, Run, Stop
from dispatch.planning.problem import SAME_DRIVER_BONUS, Leg, Problem, drivable

LOADS = ("seats", "wheelchair places", "boot units")
_BEGINNINGS = ("pickup", "aboard")


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule: a stable code, the run or leg it concerns, and a sentence."""

    code: str
    where: str
    sentence: str


def check_plan(problem: Problem, plan: Plan) -> list[Violation]:
    """Every way in which a plan is not legal or does not say the truth about itself. O(stops + legs).

    Parameters
    ----------
    problem : Problem
    plan : Plan

    Returns
    -------
    list of Violation
        Empty for a legal and truthful plan.
    """
    return list(_Check(problem, plan).violations())


@dataclass(slots=True)
class _Ride:
    """What one served leg was found to be."""

    driver: int
    pickup: int
    ride: int


class _Check:
    def __init__(self, problem: Problem, plan: Plan) -> None:
        self.problem, self.plan, self.p = problem, plan, problem.arrays
        self.leg_at = {leg: k for k, leg in enumerate(problem.legs)}
        self.shift_at = {
            (problem.drivers[int(d)], problem.shift_numbers[s]): s for s, d in enumerate(self.p.shift_driver)
        }  # fmt: skip
        self.point_at = {point: k for k, point in enumerate(problem.points)}
        self.rides: dict[int, _Ride] = {}
        self.cost = 0
        self.metres: Counter[int] = Counter()
        self.empty_metres = 0
        self.waited = 0

    def violations(self) -> Iterator[Violation]:
        if (self.plan.date, self.plan.timezone) != (self.problem.date, self.problem.timezone):
            yield Violation("date", "plan", "The plan is for another date or another timezone than the day.")
        seen_shifts = Counter((run.driver, run.shift) for run in self.plan.runs)
        for run in self.plan.runs:
            where = f"{run.driver}, shift {run.shift}"
            shift = self.shift_at.get((run.driver, run.shift))
            if shift is None:
                yield Violation("unknown_shift", where, "The day has no such volunteer or shift.")
            elif seen_shifts[run.driver, run.shift] > 1:
                yield Violation("shift_twice", where, "The same shift is planned twice.")
            else:
                yield from self._run(where, shift, run)
        yield from self._driver_limits()
        yield from self._everybody()
        yield from self._figures()
        for shift in self.problem.started:
            name, number = self.problem.drivers[int(self.p.shift_driver[shift])], self.problem.shift_numbers[shift]
            if seen_shifts[name, number] == 0:
                yield Violation("started", f"{name}, shift {number}", "A run that is under way is missing: the volunteer must come home.")

    def _second(self, moment: datetime) -> int:
        return int((moment - self.problem.start).total_seconds())

    def _run(self, where: str, shift: int, run: Run) -> Iterator[Violation]:
        driver = int(self.p.shift_driver[shift])
        home = self.problem.points[int(self.p.home[driver])]
        stops = run.stops
        out = shift in self.problem.started
        if len(stops) < (2 if out else 4) or stops[0].kind != ("position" if out else "home") or stops[-1].kind != "home":
            yield Violation(
                "home", where, "A run starts and ends at home and serves somebody; a started one begins where the volunteer is."
            )
            return
        if stops[0].place != self.problem.points[int(self.p.begin[shift])]:
            yield Violation("place", where, "A run does not begin where the volunteer is.")
        yield from self._shift(where, shift, run)
        aboard: dict[int, int] = {}  # leg -> second when loading ended
        load = [0, 0, 0]
        metres = empty = waited = 0
        for k, stop in enumerate(stops):
            if k > 0:
                yield from self._drive(where, stops[k - 1], stop)
                metres += stop.metres
                empty += stop.metres if not aboard else 0
                yield from self._waited(stops[:k], stop, aboard)
                if not aboard and stop.kind == "pickup":
                    waited += yield from self._wait(where, stops[k - 1], stop)
            if stop.kind == "position" and k > 0:
                yield Violation("home", where, "Only a started run begins at a position.")
            elif stop.kind in ("home", "position"):
                if aboard:
                    yield Violation("home", where, "The volunteer goes home with somebody aboard.")
                if stop.kind == "home" and stop.place != home:
                    yield Violation("place", where, "A home stop is not at the volunteer's home.")
            else:
                yield from self._service(where, shift, stop, aboard, load)
            if [stop.seats, stop.wheelchairs, stop.boot] != load:
                yield Violation("load", where, "The load written at a stop is not what is aboard.")
        if aboard:
            yield Violation("precedence", where, "Somebody is picked up and never dropped off.")
        yield from self._people(where, run)
        self.metres[driver] += metres
        self.empty_metres += empty
        self.waited += waited
        self.cost += metres * int(self.p.rates[0]) + (1000 * int(self.p.rates[5]) if len(stops) > 2 else 0)
        if abs(run.km * 1000 - metres) > 1 or abs(run.km_empty * 1000 - empty) > 1 or abs(run.wait_minutes * 60 - waited) > 1:
            yield Violation("figures", where, "Kilometres or waiting of the run differ from its stops.")
        if [(leg.request, leg.leg) for leg in run.legs] != [(s.request, s.leg) for s in stops if s.kind in _BEGINNINGS]:
            yield Violation("figures", where, "The list of people differs from the stops.")

    def _people(self, where: str, run: Run) -> Iterator[Violation]:
        """What the list of people says of each ride must be what the stops say."""
        if run.stops[0].metres != 0:
            yield Violation("metres", where, "A run begins with metres that nobody drives in it.")
        starts = {(s.request, s.leg, s.kind == "dropoff"): s.start for s in run.stops if s.request is not None}
        for leg in run.legs:
            k = self.leg_at.get(Leg(leg.request, leg.leg))
            pickup, dropoff = (starts.get((leg.request, leg.leg, down)) for down in (False, True))
            if k is None or pickup is None or dropoff is None:
                continue  # told elsewhere
            second = self._second(pickup)
            told = second - second % int(self.p.rates[3])
            if self.p.told_driver[k] >= 0 and self._moved(k, second) == 0:
                told = int(self.p.told_pickup[k])
            ride = (self._second(dropoff) - second - int(self.p.service[2 * k])) / 60
            same = (leg.pickup, leg.dropoff, self._second(leg.told_pickup)) == (pickup, dropoff, told)
            if not same or abs(leg.ride_minutes - ride) > 0.01 or abs(leg.direct_minutes - int(self.p.direct[k]) / 60) > 0.01:
                yield Violation("figures", self.problem.legs[k].id, "The times told of this ride are not those of its stops.")

    def _shift(self, where: str, shift: int, run: Run) -> Iterator[Violation]:
        leaves, back = self._second(run.stops[0].depart), self._second(run.stops[-1].arrive)
        if leaves < self.p.shift_from[shift] or back > self.p.shift_to[shift]:
            yield Violation("shift", where, "The volunteer leaves before the shift or comes home after it.")
        if back - leaves > self.p.max_duty[shift]:
            yield Violation("duty", where, "The volunteer is away from home for longer than wanted.")
        if (run.leaves_home, run.back_home) != (run.stops[0].depart, run.stops[-1].arrive):
            yield Violation("figures", where, "The times of leaving and coming home differ from the stops.")

    def _wait(self, where: str, before: Stop, stop: Stop) -> Generator[Violation, None, int]:
        """Seconds waited with nobody aboard; there is no reason to leave home early for that."""
        idle = self._second(stop.start) - self._second(stop.arrive)
        if before.kind in ("home", "position"):
            if idle != 0:
                yield Violation("departure", where, "The volunteer leaves home too early and waits at the first door.")
            return 0
        self.cost += max(0, idle - int(self.p.rates[2])) * int(self.p.rates[1]) * 1000 // 60
        return idle

    def _waited(self, before: Sequence[Stop], stop: Stop, aboard: dict[int, int]) -> Iterator[Violation]:
        """Who waits for somebody drives nobody else until the way back, and does not go home."""
        leg = self.leg_at.get(Leg(stop.request or "", stop.leg or "outbound"))
        if stop.kind != "pickup" or leg is None or not self.p.waits[leg]:
            return
        there = self.problem.legs[int(self.p.partner[leg])]
        in_run = any(one.kind in _BEGINNINGS and (one.request, one.leg) == there for one in before)
        last = before[-1]
        if in_run and ((last.kind, last.request, last.leg) != ("dropoff", *there) or aboard):
            yield Violation("wait", self.problem.legs[leg].id, "The volunteer does not wait there until the way back.")

    def _drive(self, where: str, before: Stop, stop: Stop) -> Iterator[Violation]:
        a, b = self.point_at.get(before.place), self.point_at.get(stop.place)
        if a is None or b is None:
            yield Violation("place", where, "A stop is at a place that the day does not know.")
            return
        if self._second(stop.arrive) - self._second(before.depart) < self.p.times[a, b]:
            yield Violation("drive_time", where, "A drive is shorter than the road allows.")
        if stop.metres != self.p.metres[a, b]:
            yield Violation("metres", where, "The metres of a drive are not those of the road.")
        if not (before.arrive <= before.start <= before.depart and stop.arrive <= stop.start <= stop.depart):
            yield Violation("order", where, "Arriving, starting and leaving are out of order.")

    def _service(self, where: str, shift: int, stop: Stop, aboard: dict[int, int], load: list[int]) -> Iterator[Violation]:
        driver = int(self.p.shift_driver[shift])
        leg = self.leg_at.get(Leg(stop.request or "", stop.leg or "outbound"))
        if leg is None:
            yield Violation("unknown_leg", where, "A stop serves somebody whom the day does not know.")
            return
        name = self.problem.legs[leg].id
        at = 2 * leg + (stop.kind == "dropoff")
        start, depart = self._second(stop.start), self._second(stop.depart)
        if self.point_at.get(stop.place) != self.p.place[at]:
            yield Violation("place", name, "The stop is not where the person is or goes.")
        if not self.p.early[at] <= start <= self.p.late[at]:
            yield Violation("window", name, f"The {stop.kind} is outside its time window.")
        if depart - start < self.p.service[at]:
            yield Violation("service", name, "There is not enough time to get in or out.")
        if (stop.kind == "aboard") != (stop.kind in _BEGINNINGS and leg in self.problem.aboard):
            yield Violation("aboard", name, "Somebody who is aboard now is picked up again, or somebody who is not counts as aboard.")
        if stop.kind in _BEGINNINGS:
            if leg in self.rides:
                yield Violation("served_twice", name, "The person is served twice.")
            if not drivable(self.p, leg, shift):
                yield Violation("not_allowed", name, "Needs, a refusal or a lock rule this volunteer or this run out.")
            aboard[leg] = start + int(self.p.service[at])
            self.rides[leg] = _Ride(driver, start, -1)
        elif leg not in aboard:
            yield Violation("precedence", name, "The drop-off comes before the pickup or in another run.")
            return
        else:
            ride = self.rides[leg].ride = start - aboard.pop(leg)
            if ride > self.p.ride_limit[leg]:
                yield Violation("ride_time", name, "The ride is longer than the person's limit.")
        sign = 1 if stop.kind in _BEGINNINGS else -1
        for k in range(3):
            load[k] += sign * int(self.p.demand[leg, k])
            if load[k] > self.p.capacity[driver, k]:
                yield Violation("capacity", name, f"The car has not enough {LOADS[k]}.")
        if len(aboard) > 1 and any(self.p.alone[other] for other in aboard):
            yield Violation("alone", name, "Somebody who must ride alone has company.")

    def _driver_limits(self) -> Iterator[Violation]:
        rides = Counter(ride.driver for ride in self.rides.values())
        for driver, name in enumerate(self.problem.drivers):
            if self.metres[driver] > self.p.max_metres[driver]:
                yield Violation("max_km", name, "The volunteer drives more kilometres than wanted.")
            if rides[driver] > self.p.max_rides[driver]:
                yield Violation("max_rides", name, "The volunteer drives more people than wanted.")
            spans = sorted((run.leaves_home, run.back_home) for run in self.plan.runs if run.driver == name)
            if any(later[0] < earlier[1] for earlier, later in pairwise(spans)):
                yield Violation("two_places", name, "The volunteer drives two runs at the same time.")

    def _everybody(self) -> Iterator[Violation]:
        unserved = Counter(Leg(u.request, u.leg) for u in self.plan.unserved)
        for leg, n in unserved.items():
            if leg not in self.leg_at or n > 1:
                yield Violation("unserved", leg.id, "Unserved twice, or unknown to the day.")
        for k, leg in enumerate(self.problem.legs):
            if (k in self.rides) == (leg in unserved):
                yield Violation("unserved", leg.id, "Must be either served or unserved.")
            partner = int(self.p.partner[k])
            if partner > k:
                if self.p.both_or_none[k] and (k in self.rides) != (partner in self.rides):
                    yield Violation("both_or_none", leg.id, "One way is served and the other is not.")
                drivers = {ride.driver for ride in (self.rides.get(k), self.rides.get(partner)) if ride is not None}
                if self.p.same_driver[k] and len(drivers) > 1:
                    yield Violation("same_driver", leg.id, "Both ways must have the same volunteer.")

    def _figures(self) -> Iterator[Violation]:
        s = self.plan.summary
        if (s.legs, s.served, s.unserved) != (len(self.problem.legs), len(self.rides), len(self.problem.legs) - len(self.rides)):
            yield Violation("figures", "summary", "The number of people served is not what the runs say.")
        km = (self.metres.total() / 1000, self.empty_metres / 1000, self.waited / 60)
        if any(abs(a - b) > 0.06 for a, b in zip(km, (s.km_total, s.km_empty, s.wait_minutes), strict=True)):
            yield Violation("figures", "summary", "Kilometres or waiting are not what the runs say.")
        touched = {self.problem.legs[k].id for k in range(len(self.problem.legs)) if self._broken(k) > 0}
        if touched != {Leg(t.request, t.leg).id for t in self.plan.touched} or len(touched) != len(self.plan.touched):
            yield Violation("touched", "plan", "The list of people whose promise changes is not what the runs say.")
        if s.levels != self.levels():
            yield Violation("levels", "summary", "The objective's levels are not what the runs say.")

    def _broken(self, leg: int) -> int:
        """Level 2 for one leg."""
        ride = self.rides.get(leg)
        if self.p.told_driver[leg] < 0 or ride is None:
            return int(self.p.told_driver[leg] >= 0)
        return int(self.p.told_driver[leg] != ride.driver) + self._moved(leg, ride.pickup)

    def _moved(self, leg: int, pickup: int) -> int:
        """Level 2 of a told time: 1 past the tolerance, and each whole minute beyond."""
        told = int(self.p.told_pickup[leg])
        moved = max(told - pickup, pickup - told - int(self.p.rates[3])) - int(self.p.rates[4])
        return 1 + moved // 60 if moved > 0 else 0

    def levels(self) -> Levels:
        """The objective, computed anew from the runs."""
        p = self.p
        unserved = [k for k in range(len(self.problem.legs)) if k not in self.rides]
        broken = sum(self._broken(k) for k in range(len(self.problem.legs)))
        goodwill = comfort = 0
        for leg, ride in self.rides.items():
            comfort += (ride.ride - int(p.direct[leg])) * int(p.persons[leg])
            goodwill -= int(p.bond[leg, ride.driver])
            partner = self.rides.get(int(p.partner[leg]))
            if partner is not None and p.partner[leg] > leg and partner.driver == ride.driver:
                goodwill -= SAME_DRIVER_BONUS
        for driver, n in Counter(ride.driver for ride in self.rides.values()).items():
            goodwill += (int(p.recent_rides[driver]) + n) ** 2 - int(p.recent_rides[driver]) ** 2
        return Levels(
            unserved_priority=sum(int(p.priority[k]) for k in unserved),
            broken_promises=broken,
            cost=self.cost,
            comfort=comfort,
            goodwill=goodwill,
        )

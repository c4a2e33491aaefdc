"""An invented but realistic day of solidarity mobility on any road network, for demos, tests and benchmarks.

In: a road network, how many legs and volunteers, a seed, a date. Out: a `Day`, the same for the same input. Called by the command line
and by benchmarks. People live where the map has villages and hamlets, and go to real places of the fitting kind, nearer ones more often.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from dispatch.model.day import Day, Driver, Point, Policy, Request
from routing.errors import NoRoads
from routing.matrix import travel_times
from routing.network import RoadNetwork
from routing.snap import snap
from routing.units import EARTH_RADIUS_M, UNREACHABLE

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """Why people travel, and what that means for times and rank."""

    share: float
    kinds: tuple[str, ...]  # of places one goes to
    reach_m: float  # places this much farther are chosen e times less often; 0: the farthest are chosen
    opens: tuple[int, int, int]  # appointments: from, to, step, in minutes of the day
    stay: tuple[int, ...]  # minutes
    window: tuple[int, ...]  # minutes
    priority: int
    flexible: float = 0.0  # share that says "leave after" rather than "be there by"


#: The shares are assumptions, not statistics: care first, then errands and visits, then work and training.
PURPOSES: tuple[Purpose, ...] = (
    Purpose(
        share=0.50,
        kinds=("doctors", "clinic", "hospital", "dentist", "pharmacy"),
        reach_m=5_000,
        opens=(510, 1_020, 15),
        stay=(30, 45, 60, 75, 90, 120, 240),
        window=(20, 30, 30, 45),
        priority=4,
    ),
    Purpose(
        share=0.10,
        kinds=("supermarket", "marketplace"),
        reach_m=4_000,
        opens=(540, 960, 30),
        stay=(60, 75, 90, 120),
        window=(45, 60),
        priority=1,
        flexible=0.5,
    ),
    Purpose(
        share=0.10,
        kinds=("social_facility", "townhall", "village", "town"),
        reach_m=4_000,
        opens=(570, 960, 30),
        stay=(90, 120, 150, 180),
        window=(45, 60),
        priority=1,
        flexible=0.5,
    ),
    Purpose(
        share=0.15,
        kinds=("employment_agency", "supermarket", "station", "townhall"),
        reach_m=7_000,
        opens=(420, 540, 30),
        stay=(180, 210, 240, 420, 480),
        window=(15, 20),
        priority=3,
    ),
    Purpose(
        share=0.05,
        kinds=("college", "employment_agency"),
        reach_m=10_000,
        opens=(510, 570, 30),
        stay=(180, 210, 420),
        window=(15, 20),
        priority=2,
    ),
    Purpose(share=0.10, kinds=("hospital",), reach_m=0, opens=(540, 930, 15), stay=(60, 90, 120, 180, 240), window=(30, 45), priority=5),
)

#: Need, share of people who have it, share of volunteers who accept it, boot units. Shares are assumptions.
NEEDS: tuple[tuple[str, float, float, int], ...] = (
    ("door_to_door", 0.30, 0.97, 0),
    ("door_through_door", 0.06, 0.80, 0),
    ("low_step", 0.10, 0.75, 0),
    ("front_seat", 0.08, 0.95, 0),
    ("walker", 0.12, 0.95, 1),
    ("fold_wheelchair", 0.06, 0.85, 2),
    ("cane", 0.10, 1.00, 0),
    ("service_animal", 0.03, 0.75, 0),
    ("oxygen", 0.02, 0.80, 0),
    ("visual", 0.04, 0.95, 0),
    ("hearing", 0.06, 0.97, 0),
    ("memory", 0.05, 0.85, 0),
)

#: Needs that make no sense together with a wheelchair one stays seated in.
_ON_FOOT = {"low_step", "front_seat", "walker", "fold_wheelchair", "cane"}

#: Where people live, by the kind of place: how much more likely a city is than a hamlet.
_HOMES = {"city": 30.0, "town": 12.0, "village": 4.0, "hamlet": 1.0}
#: Mornings, afternoons, whole days, two shifts, and early ones for work; minutes of the day, with their shares.
_SHIFTS = (
    (0.20, ((465, 720),)),
    (0.16, ((535, 705),)),
    (0.18, ((805, 1_085),)),
    (0.14, ((830, 1_010),)),
    (0.12, ((520, 1_020),)),
    (0.10, ((495, 690), (840, 1_050))),
    (0.10, ((390, 600), (940, 1_150))),
)
_ATTEMPTS = 100  # rounds of drawing people, before a network counts as undrivable
_FIRST_PICKUP, _LAST_RETURN = 390, 1_125  # minutes of the day: 06:30 and 18:45


def make_sample_day(network: RoadNetwork, legs: int, drivers: int, seed: int, day: dt.date, timezone: str = "Europe/Paris") -> Day:
    """Invent a day with exactly `legs` ways to drive (there and back count two) and `drivers` volunteers."""
    rng = np.random.default_rng(seed)
    ground = _Ground(network, rng, Policy().snap_limit_metres)
    trips = _make_trips(network, ground, legs, rng)
    ties = _make_ties(_ids("d", drivers), _ids("b", len(trips)), rng)
    requests = tuple(_make_requests(trips, ties, rng))
    return Day(date=day, timezone=timezone, drivers=tuple(_make_drivers(ground, ties, rng)), requests=requests)


class _Ground:
    """Where people live and what they go to: points in lon/lat, all of them near a road."""

    def __init__(self, network: RoadNetwork, rng: np.random.Generator, limit_m: int) -> None:
        self._rng = rng
        self.anywhere = network.sample_points(rng, 6_000)
        self._metres = EARTH_RADIUS_M * np.radians(1) * np.array([np.cos(np.radians(self.anywhere[:, 1].mean())), 1.0])
        self._tree = cKDTree(self.anywhere * self._metres)
        at = np.array([(p.lon, p.lat) for p in network.places], dtype=np.float64).reshape(-1, 2)
        on_road = snap(network, at, limit_m).edge >= 0
        self._kinds = np.array([p.kind for p in network.places], dtype=str)[on_road]
        self._at = at[on_road]
        weights = np.array([_HOMES.get(kind, 0.0) for kind in self._kinds.tolist()])
        self._settled, self._weights = self._at[weights > 0], weights[weights > 0]
        self.width_m = float(np.hypot(*(np.ptp(self.anywhere, axis=0) * self._metres)))

    def homes(self, count: int, on_roads: float) -> Floats:
        """Points [count, 2] on roads: a share of them anywhere, the others some hundred metres around settlements."""
        found = self.anywhere[self._rng.integers(0, len(self.anywhere), count)]
        if len(self._settled):
            chosen = self._rng.choice(len(self._settled), count, p=self._weights / self._weights.sum())
            around = self._settled[chosen] + self._rng.normal(0, 450, (count, 2)) / self._metres
            near = self.anywhere[self._tree.query(around * self._metres)[1]]
            found = np.where(self._rng.random((count, 1)) < on_roads, found, near)
        return found

    def goals(self, purpose: Purpose) -> Floats:
        """Places [k, 2] of the fitting kind; else those of the largest settlements; else points on roads."""
        fitting = self._at[np.isin(self._kinds, purpose.kinds)]
        if len(fitting) == 0 and len(self._settled):
            fitting = self._settled[self._weights == self._weights.max()]
        return fitting if len(fitting) else self.anywhere[:40]

    def apart_m(self, one: Floats, others: Floats) -> Floats:
        """Metres as the crow flies."""
        metres: Floats = np.hypot(*((others - one) * self._metres).T)
        return metres


@dataclass(frozen=True, kw_only=True)
class _Trip:
    """Who goes where, and what for, before times are set."""

    home: Floats
    goal: Floats
    purpose: Purpose
    back: bool
    minutes: float  # direct drive there
    minutes_back: float


def _make_trips(network: RoadNetwork, ground: _Ground, legs: int, rng: np.random.Generator) -> list[_Trip]:
    """Trips whose legs add up, each drivable both ways."""
    trips: list[_Trip] = []
    left = legs
    for _ in range(_ATTEMPTS):
        if left == 0:
            return trips
        people = (left + 1) // 2  # most of them go both ways; the next attempt draws those who are still missing
        homes = ground.homes(people, on_roads=0.25)
        purposes = [PURPOSES[int(k)] for k in rng.choice(len(PURPOSES), people, p=[p.share for p in PURPOSES])]
        goals = np.array([_choose_goal(ground, home, purpose, rng) for home, purpose in zip(homes, purposes, strict=True)])
        there, back = _drive_minutes(network, homes, goals)
        for k in np.flatnonzero(np.isfinite(there + back)).tolist():
            returns = left >= 2 and bool(rng.random() < 0.85)
            left -= 1 + returns
            trips.append(_Trip(home=homes[k], goal=goals[k], purpose=purposes[k], back=returns, minutes=there[k], minutes_back=back[k]))
    raise NoRoads("Hardly any two points of this network can be driven between.")


def _choose_goal(ground: _Ground, home: Floats, purpose: Purpose, rng: np.random.Generator) -> Floats:
    """A place of the fitting kind: the nearer the likelier, but not next door; far ones for a far hospital."""
    goals = ground.goals(purpose)
    apart = ground.apart_m(home, goals)
    walkable = min(1_200.0, 0.12 * ground.width_m)
    away = apart > walkable
    if not away.any():
        goals = ground.anywhere[rng.integers(0, len(ground.anywhere), 40)]
        apart = ground.apart_m(home, goals)
        away = apart >= min(walkable, float(apart.max()))
    goals, apart = goals[away], apart[away]
    pull = np.exp(-(apart - apart.min()) / purpose.reach_m) if purpose.reach_m else np.exp((apart - apart.max()) / 8_000)
    chosen: Floats = goals[int(rng.choice(len(goals), p=pull / pull.sum()))]
    return chosen


def _drive_minutes(network: RoadNetwork, homes: Floats, goals: Floats) -> tuple[Floats, Floats]:
    """Driving minutes of each person there and back, infinite where there is no road. Many people share few goals: O(people x goals)."""
    places, which = np.unique(goals, axis=0, return_inverse=True)
    person = np.arange(len(homes))
    at_home, at_goal = snap(network, homes), snap(network, places)
    there = travel_times(network, at_home, at_goal).ms[person, which.ravel()]
    back = travel_times(network, at_goal, at_home).ms[which.ravel(), person]
    return np.where(there < UNREACHABLE, there / 60_000, np.inf), np.where(back < UNREACHABLE, back / 60_000, np.inf)


@dataclass(frozen=True, kw_only=True)
class _Ties:
    """Who knows whom and who would rather not, drawn once so that both sides agree."""

    knows: dict[str, list[str]]  # volunteer -> beneficiaries
    refuses: dict[str, list[str]]  # volunteer -> beneficiaries
    prefers: dict[str, str]  # beneficiary -> volunteer
    refused: dict[str, list[str]]  # beneficiary -> volunteers


def _make_ties(drivers: Sequence[str], people: Sequence[str], rng: np.random.Generator) -> _Ties:
    ties = _Ties(knows={d: [] for d in drivers}, refuses={d: [] for d in drivers}, prefers={}, refused={b: [] for b in people})
    for person in people if drivers else ():
        known = drivers[int(rng.integers(len(drivers)))] if rng.random() < 1 / 3 else None
        if known:
            ties.knows[known].append(person)
            if rng.random() < 0.3:
                ties.prefers[person] = known
        unwanted = min(int(rng.binomial(len(drivers), 0.04)), 4)
        for k in rng.choice(len(drivers), unwanted, replace=False).tolist():
            if drivers[k] == known:
                continue
            if rng.random() < 0.7:
                ties.refuses[drivers[k]].append(person)
            else:
                ties.refused[person].append(drivers[k])
    return ties


def _make_requests(trips: list[_Trip], ties: _Ties, rng: np.random.Generator) -> Iterator[Request]:
    for identifier, person, trip in zip(_ids("r", len(trips)), ties.refused, trips, strict=True):
        yield Request(
            id=identifier,
            beneficiary=person,
            origin=_point(trip.home),
            destination=_point(trip.goal),
            **_times(trip, rng),
            **_person(trip, rng),
            priority=trip.purpose.priority,
            prefers_driver=ties.prefers.get(person),
            refuses=tuple(sorted(ties.refused[person])),
            one_way_ok=bool(rng.random() < 0.1),
            same_driver="require" if rng.random() < 0.04 else "prefer",
        )


def _times(trip: _Trip, rng: np.random.Generator) -> dict[str, Any]:
    """Wall clocks that the drive, the appointment and the evening allow."""
    purpose = trip.purpose
    window = int(rng.choice(purpose.window))
    opens = int(rng.choice(np.arange(purpose.opens[0], purpose.opens[1] + 1, purpose.opens[2])))
    ride = int(trip.minutes) + 10
    stay = int(rng.choice(purpose.stay))
    if rng.random() < purpose.flexible:
        leave = max(_FIRST_PICKUP, _rounded(opens - ride, 15))
        out, there = {"depart_after": _clock(leave)}, leave + window + ride
    else:
        there = max(opens, _rounded(_FIRST_PICKUP + window + ride, 15))
        out = {"arrive_by": _clock(there)}
    home = max(there + 30, min(there + stay, _LAST_RETURN - int(trip.minutes_back)))
    back = {"return_after": _clock(_rounded(home, 5)), "return_window_minutes": min(60, window + 15)} if trip.back else {}
    return {**out, "window_minutes": window, **back}


def _person(trip: _Trip, rng: np.random.Generator) -> dict[str, Any]:
    """What the traveller needs: place, help, time at the door, company."""
    wheelchair = bool(rng.random() < 0.12)
    needs = {need: boot for (need, share, _, boot), draw in zip(NEEDS, rng.random(len(NEEDS)), strict=True) if draw < share}
    if wheelchair:
        needs = {need: 0 for need in needs if need not in _ON_FOOT}
    if "fold_wheelchair" in needs:
        needs.pop("walker", None)
    slow = 4 if wheelchair else 3 if "door_through_door" in needs else 0
    longest = max(trip.minutes, trip.minutes_back)
    return {
        "seats": 2 if rng.random() < 0.15 else 1,
        "wheelchair": wheelchair,
        "boot": sum(needs.values()) + int(trip.purpose.kinds[0] == "supermarket"),
        "needs": tuple(sorted(needs)),
        "alone": bool(rng.random() < 0.02),
        "load_minutes": int(rng.integers(2, 5)) + slow,
        "unload_minutes": int(rng.integers(1, 4)) + slow,
        "max_ride_minutes": int(longest * 1.2) + 8 if rng.random() < 0.03 else None,
    }


def _make_drivers(ground: _Ground, ties: _Ties, rng: np.random.Generator) -> Iterator[Driver]:
    homes = ground.homes(len(ties.knows), on_roads=0.45)
    for identifier, home in zip(ties.knows, homes, strict=True):
        late = int(rng.integers(-6, 7)) * 5
        shifts = _SHIFTS[int(rng.choice(len(_SHIFTS), p=[share for share, _ in _SHIFTS]))][1]
        accepts = tuple(need for (need, _, share, _), draw in zip(NEEDS, rng.random(len(NEEDS)), strict=True) if draw < share)
        yield Driver(
            id=identifier,
            home=_point(home),
            shifts=tuple((_clock(start + late), _clock(end + late)) for start, end in shifts),
            seats=int(rng.choice((3, 4, 4, 4, 4, 6))),
            wheelchair_places=int(rng.random() < 0.2),
            boot=int(rng.choice((2, 3, 4, 4, 6))),
            max_km=float(rng.choice((80, 100, 120, 150, 200))),
            max_rides=int(rng.choice((2, 3, 4, 4, 6))) if rng.random() < 0.5 else None,
            accepts_needs=accepts,
            refuses=tuple(ties.refuses[identifier][:1000]),
            knows=tuple(ties.knows[identifier][:1000]),
            recent_rides=min(120, int(rng.gamma(0.55, 12))),
        )


def _ids(letter: str, count: int) -> list[str]:
    width = max(3, len(str(count)))
    return [f"{letter}{k:0{width}d}" for k in range(1, count + 1)]


def _point(place: Floats) -> Point:
    return round(float(place[0]), 6), round(float(place[1]), 6)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _rounded(minute: int, step: int) -> int:
    """Up to the next full step."""
    return -(-minute // step) * step

"""A day on the map: where volunteers drive, whom they pick up and drop off where, and who has nobody yet.

In: a day's runs and open legs; the roads. Out: stretches and spots, without anybody's name. Called by the API.
Lines are looked for after the database is let go, and kept by their two ends.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from uuid import UUID

import numpy as np
import shapely

from dispatch.model.lifecycle import WAITING_LEG
from dispatch.storage.driving import RunStop
from dispatch.storage.geometry import LonLat
from dispatch.storage.store import Store
from routing.network import RoadNetwork
from routing.route import find_route
from routing.snap import snap

_KEPT = 20_000  # lines of some 40 points, 1 KB each
_SNAP_M = 2_000.0
_STRAIGHT = 3e-5  # degrees, 3 m: how far a drawn line may lie beside the road
Line = list[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """From one stop of a run to the next, and whose legs are driven on it; none when the car is empty."""

    run_id: UUID
    leg_ids: tuple[UUID, ...]
    leaves_at: datetime
    arrives_at: datetime
    ends: tuple[LonLat, LonLat]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place of a run: `home`, `pickup` or `dropoff`; of nobody's run, where somebody waits for a volunteer to be found."""

    kind: str
    run_id: UUID | None
    leg_id: UUID | None
    at: datetime | None
    place: LonLat


@dataclass(frozen=True, slots=True)
class DayMap:
    """What is to be drawn of a day, and how many people's places are in it."""

    stretches: tuple[Stretch, ...]
    spots: tuple[Spot, ...]
    people: int


def read_day_map(store: Store, day: date) -> DayMap:
    """Runs that are not cancelled, and legs that nobody drives yet. Five queries, whatever the number of runs."""
    runs = store.runs_of_day(day)
    ids = [run.id for run in runs]
    rides, stops = store.rides_of(ids), store.stops_of(ids)
    stretches: list[Stretch] = []
    spots: list[Spot] = []
    riding: set[UUID] = set()
    for run_id in ids:
        legs = {leg.id for _, leg in rides.get(run_id, ())}
        riding |= legs
        kept = [stop for stop in stops.get(run_id, ()) if stop.leg_id is None or stop.leg_id in legs]
        stretches += _stretches(run_id, kept)
        spots += _spots(run_id, kept)
    requests = store.requests_of_day(day)
    waiting = store.legs_of([request.id for request in requests])
    people = 0
    for request in requests:
        open_legs = [leg for leg in waiting.get(request.id, ()) if leg.state in WAITING_LEG and leg.id not in riding]
        people += bool(open_legs)
        for leg in open_legs:
            ends = (request.origin, request.destination) if leg.direction == "outbound" else (request.destination, request.origin)
            for kind, place in zip(("pickup", "dropoff"), ends, strict=True):
                spots.append(Spot(kind=kind, run_id=None, leg_id=leg.id, at=None, place=place))
    return DayMap(tuple(stretches), tuple(spots), people + len(riding))


def _stretches(run_id: UUID, stops: Sequence[RunStop]) -> Iterator[Stretch]:
    aboard: list[UUID] = []
    for stop, following in pairwise(stops):
        if stop.leg_id is not None:
            aboard = [leg for leg in aboard if leg != stop.leg_id] + ([] if stop.kind == "dropoff" else [stop.leg_id])
        if stop.place != following.place:
            ends = stop.place, following.place
            times = {"leaves_at": stop.depart_at, "arrives_at": following.arrive_at}
            yield Stretch(run_id=run_id, leg_ids=tuple(aboard), ends=ends, **times)


def _spots(run_id: UUID, stops: Sequence[RunStop]) -> Iterator[Spot]:
    home = next((stop for stop in stops if stop.kind == "home"), None)
    if home is not None:
        yield Spot(kind="home", run_id=run_id, leg_id=None, at=home.depart_at, place=home.place)
    for stop in stops:
        if stop.kind in ("pickup", "dropoff"):
            at = stop.depart_at if stop.kind == "pickup" else stop.arrive_at
            yield Spot(kind=stop.kind, run_id=run_id, leg_id=stop.leg_id, at=at, place=stop.place)


class WayLines:
    """Lines along the roads of one network, by their ends; the latest ones are kept. Safe from many threads."""

    def __init__(self, network: RoadNetwork) -> None:
        self._network = network
        self._kept: OrderedDict[tuple[LonLat, LonLat], Line] = OrderedDict()
        self._lock = threading.Lock()

    def between(self, origin: LonLat, destination: LonLat) -> Line:
        """The fastest way's line; a straight one where no road is near, or none leads there. A millisecond the first time."""
        ends = origin, destination
        with self._lock:
            if ends in self._kept:
                self._kept.move_to_end(ends)
                return self._kept[ends]
        line = self._find(origin, destination)
        with self._lock:
            self._kept[ends] = line
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return line

    def _find(self, origin: LonLat, destination: LonLat) -> Line:
        from_road, to_road = (snap(self._network, np.array([place], np.float64), _SNAP_M) for place in (origin, destination))
        route = find_route(self._network, from_road, to_road)
        if route is None or len(route.lonlat) < 2:
            return [origin, destination]
        points = shapely.get_coordinates(shapely.simplify(shapely.LineString(route.lonlat), _STRAIGHT, preserve_topology=False))
        return [(lon, lat) for lon, lat in points.round(5).tolist()]

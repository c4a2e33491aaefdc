"""A day and a time for a wish whose day does not matter: the first at which somebody can drive it, the rest of that day staying as it is.

In: a `NewFlexible`, a store that is only read, roads. Out: a `NewTrip`. Called by the API, which asks for it like for any other. Days are
looked at one after another for at most `MOST_S`; where none is found, the last day is asked for, and every round until then tries again.
"""

import time
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from dispatch.engine.feasibility import is_possible
from dispatch.errors import BadInput, Fault
from dispatch.model.clock import to_instant
from dispatch.model.flexible import TIMES, NewFlexible
from dispatch.model.intake import NewTrip, Wish
from dispatch.rules.booking import Obstacle
from dispatch.service.trips import Asker, obstacles_to
from dispatch.storage.store import Store
from dispatch.world import World
from routing.network import RoadNetwork

MOST_S = 4.0


def choose(store: Store, wish: NewFlexible, network: RoadNetwork, world: World, asker: Asker) -> NewTrip:
    """When it is asked for. BadInput when no day of those is one on which rides are asked for."""
    began, territory = time.monotonic(), store.territory()
    allowed: list[NewTrip] = []
    refused: list[Obstacle] = []
    for day in _days(wish, world.now().astimezone(ZoneInfo(territory.timezone)).date()):
        for clock in TIMES[wish.part_of_day]:
            trip = _trip(wish, to_instant(day, clock, territory.timezone))
            if obstacles := obstacles_to(store, territory, trip, world.now()):
                refused += obstacles
                continue
            allowed.append(trip)
            if time.monotonic() - began < MOST_S and is_possible(store, trip, network, world, asker):
                return trip
    if allowed:
        return allowed[-1]
    if refused:
        last = refused[-1].fault
        raise BadInput([replace(last, pointer="within_days") if last.pointer == "arrive_by" else last])
    raise BadInput([Fault("weekdays", "no_day", "none of these days is within the time given")])


def _days(wish: NewFlexible, today: date) -> list[date]:
    days = (today + timedelta(days=k) for k in range(1, wish.within_days + 1))
    return [day for day in days if day.isoweekday() in wish.weekdays]


def _trip(wish: NewFlexible, at: datetime) -> NewTrip:
    same = {name: getattr(wish, name) for name in Wish.model_fields if name in NewTrip.model_fields}
    back = at + timedelta(minutes=wish.stay) if wish.stay is not None and not wish.return_open else None
    return NewTrip(**same, arrive_by=at, return_after=back)

"""What must hold every evening and at the end of a simulated month, read from the database itself; and the month's figures.

In: a database, a stage. Out: sentences about what does not hold; figures for people. Called by `simulation.month`.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from uuid import UUID

from api.simulation.stage import Stage
from dispatch.model.lifecycle import OVER_LEG, WANTED_REQUEST
from dispatch.rules.recurring import dates_of
from dispatch.service.series import pattern_of
from dispatch.service.trips import TripView, show_trips
from dispatch.storage.database import Database
from dispatch.storage.series_tables import RideSeries
from dispatch.storage.store import Store
from dispatch.storage.tables import Round, TripRequest, Volunteer

_ALL = 1_000_000
SERVED = "completed"
_PATIENCE = dt.timedelta(hours=2)


def complaints_of(stage: Stage, database: Database, territory_id: UUID, day: dt.date) -> Iterator[str]:
    """What does not hold at the end of a day."""
    with database.read() as session:
        store = Store(session, territory_id)
        yield from (f"the log: {fault.table}: {fault.sentence}" for fault in store.log_faults())
        trips = show_trips(store, store.page(TripRequest, None, _ALL))
        past = [trip for trip in trips if trip.request.service_date is not None and trip.request.service_date <= day]
        yield from _unfinished(past)
        yield from _in_two_places(store)
        yield from _forgotten_dates(store, day)
        yield from (f"a {notice.kind} that was not sent" for notice in store.unsent_notices(stage.now() - _PATIENCE))
        yield from (f"a round that is {row.state}" for row in store.page(Round, None, _ALL) if row.state in ("queued", "running"))


def _unfinished(trips: list[TripView]) -> Iterator[str]:
    """A request of the past that has not come to an end, and somebody taken there whom nobody has brought back."""
    for trip in trips:
        states = {way.leg.direction: way.leg.state for way in trip.legs}
        for direction, state in states.items():
            if state not in OVER_LEG:
                yield f"{trip.request.service_date}: a way ({direction}) that is {state}"
        if trip.request.state in WANTED_REQUEST:
            yield f"{trip.request.service_date}: a request that is {trip.request.state}"
        if states.get("outbound") == SERVED and states.get("return") == "unmet" and not trip.request.one_way_ok:
            yield f"{trip.request.service_date}: somebody was left there: the way back is {states['return']}"


def _in_two_places(store: Store) -> Iterator[str]:
    for volunteer in store.page(Volunteer, None, _ALL):
        own = sorted((run for run in store.runs_of(volunteer.id) if run.state != "cancelled"), key=lambda run: run.starts_at)
        yield from ("a volunteer in two places at once" for first, second in pairwise(own) if second.starts_at < first.ends_at)


def _forgotten_dates(store: Store, day: dt.date) -> Iterator[str]:
    """A date of a series that nobody looked at, or that nobody asked a ride for without a reason."""
    for series in store.page(RideSeries, None, _ALL):
        dates = store.series_dates(series.id, series.first_day)
        asked_on = series.created_at.date()  # that day's ride may have been over by then
        for wanted in dates_of(pattern_of(series), asked_on + dt.timedelta(days=1), min(day, series.last_day or day)):
            if wanted not in dates:
                yield f"{wanted}: a date of a series without a ride"


def figures_of(stage: Stage, database: Database, territory_id: UUID) -> dict[str, Any]:
    """What a month came to: people asked, who was driven, why others were not, and how often somebody had to be asked."""
    with database.read() as session:
        store = Store(session, territory_id)
        trips = show_trips(store, store.page(TripRequest, None, _ALL))
    ways = Counter(way.leg.state for trip in trips for way in trip.legs)
    requests = Counter(trip.request.state for trip in trips)
    wanted = sum(count for state, count in ways.items() if state not in ("cancelled", "late_cancelled", "no_show"))
    wishes = stage.wishes
    return {
        "seed": wishes.seed,
        "start": wishes.start.isoformat(),
        "days": wishes.days,
        "demand": wishes.demand,
        "volunteers": wishes.volunteers,
        "requests": dict(sorted(requests.items())),
        "ways": dict(sorted(ways.items())),
        "served_share": round(ways[SERVED] / wanted, 4) if wanted else None,
        "counted": dict(sorted(stage.counted.items())),
        "complaints": stage.complaints,
    }

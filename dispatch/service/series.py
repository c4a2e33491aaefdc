"""Rides that come again: a series begins, is written anew from a day on, ends; its dates become requests some weeks ahead.

In: a `NewSeries`. Out: an `Outcome`: what was made, what could not be and why, what volunteers had agreed to and stays. Called by the API,
and by the planner's turn (`extend_series`); the caller commits. Single dates are in `service.series_dates`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from dispatch.errors import BadInput, Conflict, Fault, IllegalMove
from dispatch.model.intake import Cancel, NewTrip
from dispatch.model.lifecycle import UNDER_WAY, WANTED_REQUEST
from dispatch.model.rules import Rules
from dispatch.model.series import NewSeries
from dispatch.rules.eligibility import NOT_ELIGIBLE, lacking
from dispatch.rules.free_days import knows_school, why_free
from dispatch.rules.recurring import dates_of, trip_on
from dispatch.service.people import rules_of
from dispatch.service.trips import UNKNOWN, Asker, cancel_trip, check_wish, obstacles_to, request_trip
from dispatch.storage.series_tables import RideSeries, SeriesDate
from dispatch.storage.store import Store
from dispatch.storage.tables import Territory, TripRequest
from dispatch.world import World
from routing.network import RoadNetwork

AHEAD = timedelta(days=400)  # looked through for a date on which something could come of it
_OF_SOME_DATES = {
    "short_notice",
    "after_cut_off",
    "too_far_ahead",
    "past",
    NOT_ELIGIBLE,
}  # obstacles; others stand in the way of every ride
CHANGED = Cancel(reason="booking_time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What something done to a series came to."""

    series: RideSeries
    made: tuple[SeriesDate, ...] = ()  # dates that have a ride now
    not_made: tuple[SeriesDate, ...] = ()  # dates that have none, with the reason
    kept: tuple[SeriesDate, ...] = ()  # rides that volunteers have agreed to drive: as they were
    cancelled: int = 0
    eligible_until: date | None = None  # no rides come of it after that day, though the series goes on: to be renewed in time


@dataclass(frozen=True, slots=True)
class Frame:
    """What the dates of a territory's series go by."""

    territory: Territory
    rules: Rules
    now: datetime
    today: date

    @property
    def horizon(self) -> date:
        """The last day whose rides are asked for now."""
        return self.today + timedelta(days=min(self.rules.booking.series_days, self.rules.booking.horizon_days))


def frame_of(store: Store, world: World) -> Frame:
    """Of this territory, now."""
    territory, now = store.territory(), world.now()
    return Frame(territory, rules_of(territory), now, now.astimezone(ZoneInfo(territory.timezone)).date())


def pattern_of(row: RideSeries) -> NewSeries:
    """What was asked for, as it holds now."""
    days = {"first_day": row.first_day, "last_day": None if row.last_day is None else max(row.last_day, row.first_day)}
    return NewSeries.model_validate({**row.wish, **days, "beneficiary_id": row.beneficiary_id}, strict=False)


def begin_series(store: Store, new: NewSeries, network: RoadNetwork, world: World, asker: Asker) -> Outcome:
    """Note a series and ask for its next rides. BadInput, with nothing kept, when nothing could ever come of it, or the rules forbid it."""
    frame = frame_of(store, world)
    _check(store, new, network, world, asker, frame)
    row = _keep(store, new, world, asker, frame)
    made, not_made = extend_series(store, row, network, world, tell=True)
    return Outcome(series=row, made=made, not_made=not_made, eligible_until=_eligible_until(store, new, frame))


def change_series(
    store: Store, row: RideSeries, new: NewSeries, network: RoadNetwork, world: World, asker: Asker, *, also_promised: bool = False
) -> Outcome:
    """Write a series anew from `new.first_day` on; before it stays what it was. What comes out is another series, which follows this one.

    Rides that a volunteer has agreed to drive, and those that were moved one by one, stay and belong to the new one, unless they are to be
    cancelled too. BadInput as in `begin_series`.
    """
    frame = frame_of(store, world)
    if new.beneficiary_id != row.beneficiary_id:
        raise BadInput([Fault("beneficiary_id", "another_person", "must stay: a series is of one person")])
    check_goes_on(row, frame)
    _check(store, new, network, world, asker, frame)
    begins = max(new.first_day, frame.today)
    store.change_series(row, {"last_day": min(begins - timedelta(days=1), row.last_day or date.max)})
    following = _keep(store, new, world, asker, frame, follows=row.id)
    ahead = store.series_dates(row.id, begins)
    gone, kept = let_go(store, ahead.values(), world, also_promised=also_promised, moved_stay=True)
    pattern = set(dates_of(new, begins, frame.today + AHEAD))
    for date_ in ahead.values():
        if date_ in kept or (date_.request_id is None and date_.reason == "skipped" and date_.day in pattern):
            date_.series_id = following.id
    store.flush()
    made, not_made = extend_series(store, following, network, world)
    until = _eligible_until(store, new, frame)
    return Outcome(series=following, made=made, not_made=not_made, kept=tuple(kept), cancelled=gone, eligible_until=until)


def end_series(store: Store, row: RideSeries, last_day: date, world: World, *, also_promised: bool = False) -> Outcome:
    """No rides after a day. BadInput when it is over by then."""
    frame = frame_of(store, world)
    check_goes_on(row, frame)
    ends = max(last_day, frame.today - timedelta(days=1))
    if row.last_day is not None and ends > row.last_day:
        raise BadInput([Fault("last_day", "later", "must not be after the series' last day: write the series anew to make it longer")])
    store.change_series(row, {"last_day": ends})
    ahead = [date_ for date_ in store.series_dates(row.id, frame.today).values() if (date_.moved_to or date_.day) > ends]
    gone, kept = let_go(store, ahead, world, also_promised=also_promised)
    store.note_access("changed", "beneficiary", row.beneficiary_id, 1, world)
    return Outcome(series=row, kept=tuple(kept), cancelled=gone)


def due_series(store: Store, world: World) -> Sequence[UUID]:
    """Series whose next rides are to be asked for."""
    return store.series_to_extend(frame_of(store, world).horizon)


def extend_series(
    store: Store, row: RideSeries, network: RoadNetwork | None, world: World, *, tell: bool = False
) -> tuple[tuple[SeriesDate, ...], tuple[SeriesDate, ...]]:
    """Ask for the rides of each date up to the horizon that nobody has looked at: those that were made, and those that were not.

    `tell`: the person hears of the first one. The row is to be held by the caller, so that two who extend it do so one after the other.
    """
    frame = frame_of(store, world)
    first, last = max(row.made_until + timedelta(days=1), frame.today), min(frame.horizon, row.last_day or date.max)
    made, not_made = list[SeriesDate](), list[SeriesDate]()
    if row.wish and first <= last:
        pattern, known = pattern_of(row), store.series_dates(row.id, first, last)
        for day in dates_of(pattern, first, last):
            if day in known or (date_ := make_date(store, row, pattern, day, network, world, frame, quiet=bool(made) or not tell)) is None:
                continue
            (not_made if date_.request_id is None else made).append(date_)
    if last > row.made_until:
        row.made_until = last
        store.flush()
    return tuple(made), tuple(not_made)


def make_date(
    store: Store,
    row: RideSeries,
    pattern: NewSeries,
    day: date,
    network: RoadNetwork | None,
    world: World,
    frame: Frame,
    *,
    quiet: bool = True,
) -> SeriesDate | None:
    """The ride of one date, or why there is none; None for a moment that has passed."""
    found = SeriesDate(id=world.new_id(), series_id=row.id, day=day, reason=why_free(day, pattern.except_holidays, frame.rules.holidays))
    if found.reason is None:
        trip = trip_on(pattern, day, frame.territory.timezone)
        if trip is not None and trip.moment <= frame.now:
            return None
        found.request_id, found.reason = _ask(store, row, trip, network, world, quiet=quiet) if trip else (None, "clock_change")
    store.add(found)
    return found


def ask_as_series(store: Store, row: RideSeries, trip: NewTrip, network: RoadNetwork | None, world: World, *, quiet: bool) -> TripRequest:
    """A ride, asked for by whoever asked for the series."""
    return request_trip(store, trip, network, world, Asker(actor_id=row.entered_by, staff=row.by_staff, channel="series", quiet=quiet))


def let_go(
    store: Store, dates: Iterable[SeriesDate], world: World, *, also_promised: bool, moved_stay: bool = False, told: bool = False
) -> tuple[int, list[SeriesDate]]:
    """Cancel the rides of dates: how many, and those that stay because a volunteer has agreed to drive (`moved_stay`: or was moved)."""
    wanted = {date_.request_id: date_ for date_ in dates if date_.request_id is not None}
    requests, legs, gone, kept = store.requests(wanted), store.legs_of(wanted, lock=True), 0, list[SeriesDate]()
    for request_id, date_ in sorted(wanted.items(), key=lambda pair: pair[1].day):
        request, states = requests[request_id], {leg.state for leg in legs.get(request_id, [])}
        if request.state not in WANTED_REQUEST:
            continue
        promised = not also_promised and "confirmed" in states
        if promised or (moved_stay and date_.moved_to is not None) or states & {*UNDER_WAY, "completed"}:
            kept.append(date_)
            continue
        cancel_trip(store, request, world, CHANGED, quiet=not told)
        gone += 1
    return gone, kept


def check_goes_on(row: RideSeries, frame: Frame) -> None:
    """IllegalMove for a series that is over."""
    if not row.wish or (row.last_day is not None and row.last_day < frame.today):
        raise IllegalMove("This series is over.")


def _ask(
    store: Store, row: RideSeries, trip: NewTrip, network: RoadNetwork | None, world: World, *, quiet: bool
) -> tuple[UUID | None, str | None]:
    try:
        with store.attempt():
            return ask_as_series(store, row, trip, network, world, quiet=quiet).id, None
    except BadInput as error:
        return None, error.faults[0].code
    except Conflict:
        return None, "another_ride"


def _keep(store: Store, new: NewSeries, world: World, asker: Asker, frame: Frame, follows: UUID | None = None) -> RideSeries:
    row = RideSeries(
        id=world.new_id(),
        beneficiary_id=new.beneficiary_id,
        wish=new.model_dump(mode="json", exclude={"beneficiary_id", "first_day", "last_day"}),
        first_day=new.first_day,
        last_day=new.last_day,
        made_until=max(new.first_day, frame.today) - timedelta(days=1),
        follows=follows,
        entered_by=asker.actor_id,
        by_staff=asker.staff,
        created_at=world.now(),
    )
    store.add(row)
    store.note_access("changed", "beneficiary", row.beneficiary_id, 1, world)
    return row


def _check(store: Store, new: NewSeries, network: RoadNetwork, world: World, asker: Asker, frame: Frame) -> None:
    """BadInput when nothing can come of a series, or something stands in the way of each of its rides."""
    last = frame.today + AHEAD
    if new.last_day is not None and new.last_day < frame.today:
        raise BadInput([Fault("last_day", "past", "is in the past")])
    if new.first_day > last:
        raise BadInput([Fault("first_day", "too_far_ahead", f"is more than {AHEAD.days} days ahead")])
    if "school" in new.except_holidays and not knows_school(frame.rules.holidays):
        raise BadInput([Fault("except_holidays", "unknown_holidays", "needs the territory's school zone: `rules.holidays.school_zone`")])
    days = dates_of(new, max(new.first_day, frame.today), last)
    if not days:
        raise BadInput([Fault("weekdays", "no_date", "has no date that is still to come between first_day and last_day")])
    days = [day for day in days if why_free(day, new.except_holidays, frame.rules.holidays) is None]
    if not days:
        raise BadInput([Fault("except_holidays", "no_date", "leaves no date of this series")])
    zone = frame.territory.timezone
    trips = {day.weekday(): trip for day in reversed(days) if (trip := trip_on(new, day, zone)) is not None and trip.moment > frame.now}
    if not trips:
        name = "arrive_by" if new.arrive_by else "depart_after"
        raise BadInput([Fault(name, "no_time", "is past or does not exist on any date of this series: the clocks change")])
    faults = [] if store.person_as_is(new.beneficiary_id) is not None else [UNKNOWN]
    against = {
        obstacle.code: obstacle.fault for trip in trips.values() for obstacle in obstacles_to(store, frame.territory, trip, frame.now)
    }
    faults += [fault for code, fault in against.items() if code not in _OF_SOME_DATES]
    faults += _never_eligible(store, new, days, frame) if not faults and not new.override else []
    check_wish(next(iter(trips.values())), frame.territory, network, asker, faults)


def _never_eligible(store: Store, new: NewSeries, days: Iterable[date], frame: Frame) -> list[Fault]:
    """Where the territory asks for eligibility: why the person has none on any of these days. How many rides a month has counts later."""
    if frame.rules.eligibility.rule == "none":
        return []
    terms = store.eligibility(new.beneficiary_id)
    found = [lacking(terms, day, new.purpose, new.seats, "first_day") for day in days]
    against = [obstacle.fault for obstacle in found if obstacle is not None]
    return against[:1] if len(against) == len(found) else []


def _eligible_until(store: Store, new: NewSeries, frame: Frame) -> date | None:
    """The end of the person's eligibility, where the series goes on after it."""
    terms = store.eligibility(new.beneficiary_id) if frame.rules.eligibility.rule == "asked" and not new.override else None
    ends = None if terms is None else terms.valid_until
    return ends if ends is not None and (new.last_day or date.max) > ends else None

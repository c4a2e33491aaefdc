"""Single dates of a series: skipped, taken up again, moved.

In: a series that is held, days. Out: an `Outcome` of `service.series`. Called by the API; the caller commits.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from pydantic import ValidationError

from dispatch.errors import BadInput, Conflict, Fault, IllegalMove
from dispatch.model.series import SeriesDays, SeriesMove
from dispatch.rules.eligibility import NOT_ELIGIBLE
from dispatch.rules.recurring import dates_of, trip_on
from dispatch.service.series import Frame, Outcome, ask_as_series, check_goes_on, frame_of, let_go, make_date, pattern_of
from dispatch.storage.series_tables import RideSeries, SeriesDate
from dispatch.storage.store import Store
from dispatch.world import World
from routing.network import RoadNetwork

SKIPPED = "skipped"


def skip_days(store: Store, row: RideSeries, days: SeriesDays, world: World, *, also_promised: bool = False) -> Outcome:
    """No ride on these dates: one, or a pause. BadInput when the series has no date among them that is still to come."""
    frame = frame_of(store, world)
    pattern = _dates(row, days.first_day, days.last_day or days.first_day, frame, "first_day")
    known = store.series_dates(row.id, pattern[0], pattern[-1])
    gone, kept = let_go(store, known.values(), world, also_promised=also_promised, told=len(pattern) == 1)
    for day in pattern:
        if day not in known:
            known[day] = SeriesDate(id=world.new_id(), series_id=row.id, day=day, reason=SKIPPED)
            store.add(known[day])
        elif known[day] not in kept:
            known[day].reason = SKIPPED
    store.flush()
    store.note_access("changed", "beneficiary", row.beneficiary_id, 1, world)
    return Outcome(series=row, not_made=tuple(date_ for date_ in known.values() if date_ not in kept), kept=tuple(kept), cancelled=gone)


def take_up(store: Store, row: RideSeries, days: SeriesDays, network: RoadNetwork, world: World) -> Outcome:
    """Dates that were skipped, or whose person was not eligible, have their ride again. IllegalMove when none of them was."""
    frame = frame_of(store, world)
    check_goes_on(row, frame)
    first = max(days.first_day, frame.today)
    ahead = store.series_dates(row.id, first, days.last_day or days.first_day).values()
    skipped = [date_ for date_ in ahead if date_.reason in (SKIPPED, NOT_ELIGIBLE)]
    if not skipped:
        raise IllegalMove("No day of this series is skipped then.")
    outcome = _ask_again(store, row, skipped, network, world, frame)
    store.note_access("changed", "beneficiary", row.beneficiary_id, 1, world)
    return outcome


def take_up_eligible(store: Store, held: Iterable[RideSeries], world: World) -> tuple[SeriesDate, ...]:
    """Dates of series that had no ride for want of eligibility are asked for again: something else is written now. Those that have one."""
    frame, made = frame_of(store, world), list[SeriesDate]()
    for row in held:
        refused = [date_ for date_ in store.series_dates(row.id, frame.today).values() if date_.reason == NOT_ELIGIBLE]
        if refused and row.wish:
            made += _ask_again(store, row, refused, None, world, frame).made
    return tuple(made)


def _ask_again(
    store: Store, row: RideSeries, dates: Iterable[SeriesDate], network: RoadNetwork | None, world: World, frame: Frame
) -> Outcome:
    """As if nobody had looked at these dates yet."""
    made, not_made = list[SeriesDate](), list[SeriesDate]()
    for date_ in dates:
        day, reason = date_.day, date_.reason
        store.remove_date(date_)
        if day > row.made_until or (row.last_day is not None and day > row.last_day):  # its time comes, or never
            continue
        again = make_date(store, row, pattern_of(row), day, network, world, frame)
        if again is None:  # its moment has passed: it stays as it was
            again = SeriesDate(id=world.new_id(), series_id=row.id, day=day, reason=reason)
            store.add(again)
        (made if again.request_id else not_made).append(again)
    return Outcome(series=row, made=tuple(made), not_made=tuple(not_made))


def move_date(
    store: Store, row: RideSeries, move: SeriesMove, network: RoadNetwork, world: World, *, also_promised: bool = False
) -> Outcome:
    """One ride on another day, or at another time. Conflict when a volunteer has agreed to drive it, or the person has another ride then;
    BadInput for a day that is none of the series, or a moment that may not be asked for."""
    frame = frame_of(store, world)
    (day,) = _dates(row, move.day, move.day, frame, "day")
    if move.to_day < frame.today:
        raise BadInput([Fault("to_day", "past", "is in the past")])
    date_ = store.series_dates(row.id, day, day).get(day)
    gone, kept = let_go(store, [date_] if date_ else [], world, also_promised=also_promised)
    if kept:
        raise Conflict("A volunteer has agreed to drive on that day: cancel that ride first, or say also_promised=true.")
    try:
        trip = trip_on(pattern_of(row), move.to_day, frame.territory.timezone, move)
    except ValidationError as error:
        raise BadInput.from_validation(error) from None
    if trip is None:
        raise BadInput([Fault("to_day", "no_time", "has no such time: the clocks change on that day")])
    request = ask_as_series(store, row, trip, network, world, quiet=False)
    if date_ is not None:
        store.remove_date(date_)
    moved = SeriesDate(id=world.new_id(), series_id=row.id, day=day, moved_to=move.to_day, request_id=request.id)
    store.add(moved)
    return Outcome(series=row, made=(moved,), cancelled=gone)


def _dates(row: RideSeries, first: date, last: date, frame: Frame, field: str) -> Sequence[date]:
    """Of the series, and still to come."""
    check_goes_on(row, frame)
    days = dates_of(pattern_of(row), max(first, frame.today), last)
    if not days:
        raise BadInput([Fault(field, "no_date", "is no date of this series that is still to come")])
    return days

"""When volunteers are free: what they say about it, and what that makes of a day.

In: hours, absences, a day. Out: rows, and spans by volunteer. Called by `service.engagements`, `service.day` and `service.consequences`,
which knows what rides a change takes away; the caller commits.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from dispatch.errors import BadInput, Conflict, Fault
from dispatch.model.clock import day_length_s, day_start
from dispatch.model.volunteering import NewAbsence, WeeklyGrid
from dispatch.rules.availability import Span, spans_of
from dispatch.service.people import rules_of
from dispatch.storage.store import Store
from dispatch.storage.tables import Availability, Volunteer
from dispatch.storage.volunteer_tables import Absence, WeeklyHours
from dispatch.world import World

MOST_ABSENCES = 200  # of one volunteer, ahead
_LONGEST_SPAN = timedelta(hours=24)


def free_spans(store: Store, day: date, of: Collection[UUID] | None = None) -> dict[UUID, list[Span]]:
    """Spans of a day by volunteer, of all or `of` some; who has none is not among them. Four queries, whatever the number of people.

    Papers without which nobody drives end what they do not cover: a run would have to be over before.
    """
    territory = store.territory()
    start = day_start(day, territory.timezone)
    end = start + timedelta(seconds=day_length_s(day, territory.timezone))
    extra: dict[UUID, list[Availability]] = {}
    for span in store.availabilities(start, end, of):
        extra.setdefault(span.volunteer_id, []).append(span)
    weekly: dict[UUID, list[WeeklyHours]] = {}
    for hours in store.weekly_hours_on(day, of):
        weekly.setdefault(hours.volunteer_id, []).append(hours)
    away: dict[UUID, list[Span]] = {}
    for absence in store.absences_in(start, end + _LONGEST_SPAN, of):
        away.setdefault(absence.volunteer_id, []).append((absence.starts_at, absence.ends_at))
    blocking = {kind.code for kind in rules_of(territory).credentials.kinds if kind.blocking}
    holds = _papers(store, blocking, territory.timezone, of) if blocking else {}
    found = {}
    for person in extra.keys() | weekly.keys():
        papers = holds.get(person, {})
        if blocking - papers.keys():
            continue
        given = [(span.starts_at, span.ends_at) for span in extra.get(person, [])]
        instead = any(span.instead for span in extra.get(person, []))
        until = min((ends for ends in papers.values() if ends is not None), default=None)
        how = {"instead": instead, "until": until}
        spans = spans_of(day, territory.timezone, weekly.get(person, []), given, away.get(person, []), **how)  # type: ignore[arg-type]
        if spans:
            found[person] = spans
    return found


def _papers(store: Store, kinds: set[str], zone: str, of: Collection[UUID] | None) -> dict[UUID, dict[str, datetime | None]]:
    """Until when which paper of whom holds; None: always."""
    found: dict[UUID, dict[str, datetime | None]] = {}
    for paper in store.valid_credentials(kinds, of):
        found.setdefault(paper.volunteer_id, {})[paper.kind] = day_start(paper.expires_on, zone) if paper.expires_on else None
    return found


def write_weekly_hours(store: Store, volunteer: Volunteer, grid: WeeklyGrid, world: World) -> Sequence[WeeklyHours]:
    """All weekly hours anew. BadInput when two of every week overlap, Stale when the file changed meanwhile."""
    faults = []
    for k, hours in enumerate(grid.hours):
        for other in grid.hours[:k]:
            same_time = other.weekday == hours.weekday and other.starts < hours.ends and hours.starts < other.ends
            ends, begins = (min(h.valid_until or date.max for h in (hours, other)), max(hours.valid_from, other.valid_from))
            if same_time and begins <= ends and hours.every_weeks == other.every_weeks == 1:
                faults.append(Fault(f"hours[{k}]", "overlap", "overlap hours that stand before them"))
                break
    if faults:
        raise BadInput(faults)
    store.change(volunteer, {})  # one version of the file: of two who write at once, the second is told
    store.clear_weekly_hours(volunteer.id)
    store.add(*(WeeklyHours(id=world.new_id(), volunteer_id=volunteer.id, **hours.model_dump()) for hours in grid.hours))
    store.note_access("changed", "volunteer", volunteer.id, 1, world)
    return store.weekly_hours(volunteer.id)


def add_absence(store: Store, volunteer: Volunteer, new: NewAbsence, world: World) -> Absence:
    """Note a time without this volunteer. BadInput for one that is over, Conflict for too many."""
    begins, ends = _of_days(new, store.territory().timezone)
    if ends <= world.now():
        raise BadInput([Fault("ends_at" if new.ends_at else "last_day" if new.last_day else "first_day", "past", "is in the past")])
    if sum(row.ends_at > world.now() for row in store.absences_of(volunteer.id)) >= MOST_ABSENCES:
        raise Conflict("There are too many absences ahead: remove some, or give a longer one.")
    row = Absence(id=world.new_id(), volunteer_id=volunteer.id, starts_at=begins, ends_at=ends, created_at=world.now())
    store.add(row)
    store.note_access("changed", "volunteer", volunteer.id, 1, world)
    return row


def _of_days(new: NewAbsence, zone: str) -> Span:
    if new.first_day is not None:
        return day_start(new.first_day, zone), day_start((new.last_day or new.first_day) + timedelta(days=1), zone)
    if new.starts_at is None or new.ends_at is None:
        raise ValueError("neither days nor hours")  # the intake model has seen to it
    return new.starts_at, new.ends_at


def remove_hours(store: Store, row: Absence | Availability, world: World) -> None:
    """An absence that does not take place, or a span that is not free after all."""
    store.remove(row)
    store.note_access("changed", "volunteer", row.volunteer_id, 1, world)


def local_today(store: Store, now: datetime) -> date:
    """The date on the wall of the territory."""
    return now.astimezone(ZoneInfo(store.territory().timezone)).date()

"""Volunteers from application to farewell, and every change of theirs that may take rides away.

In: a step, a changed file, hours, an absence, a pair. Out: the change, and the rides that it reopens (`service.consequences`). Called by
the API; the caller commits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from dispatch.errors import NotFound, Stale
from dispatch.model.intake import ChangedVolunteer, Limits
from dispatch.model.volunteering import NewAbsence, Step, WeeklyGrid
from dispatch.service.accounts import end_logins
from dispatch.service.availability import add_absence, local_today, remove_hours, write_weekly_hours
from dispatch.service.consequences import TouchedRide, change_and_look
from dispatch.service.people import change_person, refuse_pair
from dispatch.storage.accounts import Accounts
from dispatch.storage.store import Store
from dispatch.storage.tables import Availability, Volunteer
from dispatch.storage.volunteer_tables import Absence, WeeklyHours
from dispatch.world import World
from routing.network import RoadNetwork

LEDGER = timedelta(days=28)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What somebody gave and was asked over four weeks."""

    since: datetime
    rides: int
    minutes: int  # away from home, as planned
    km: float  # home to home, as planned
    offers: int
    accepted: int
    declines: int
    lapses: int


def step_engagement(store: Store, volunteer: Volunteer, to: Step, world: World, *, dry_run: bool = False) -> list[TouchedRide]:
    """One step; IllegalMove for one that does not follow. Who is not active is logged out, and drives nothing any more."""

    def change() -> None:
        store.engage(volunteer, to, world)
        store.note_access("changed", "volunteer", volunteer.id, 1, world)
        if not volunteer.active:
            end_logins(Accounts(store.session), store, volunteer.id, world)

    return change_and_look(store, volunteer, world, change, dry_run=dry_run)[1]


def change_volunteer(
    store: Store, volunteer: Volunteer, new: ChangedVolunteer, network: RoadNetwork, world: World, *, dry_run: bool = False
) -> list[TouchedRide]:
    """Write a file anew, whole; `active` suspends and takes back. Stale when somebody else changed it meanwhile."""
    version = volunteer.version

    def change() -> None:
        if volunteer.version != version:  # it was read anew when it was locked: somebody else was quicker
            raise Stale
        change_person(store, volunteer, new, network, world)
        if new.active != volunteer.active:
            store.engage(volunteer, "active" if new.active else "suspended", world)

    return change_and_look(store, volunteer, world, change, dry_run=dry_run)[1]


def change_weekly_hours(
    store: Store, volunteer: Volunteer, grid: WeeklyGrid, world: World, *, dry_run: bool = False
) -> tuple[Sequence[WeeklyHours], list[TouchedRide]]:
    """All weekly hours anew. Stale when somebody else changed the file meanwhile."""
    version = volunteer.version

    def change() -> Sequence[WeeklyHours]:
        if volunteer.version != version:
            raise Stale
        return write_weekly_hours(store, volunteer, grid, world)

    return change_and_look(store, volunteer, world, change, dry_run=dry_run)


def change_limits(store: Store, volunteer: Volunteer, new: Limits, world: World, *, dry_run: bool = False) -> list[TouchedRide]:
    """How much and how far the volunteer drives, anew. Stale when somebody else changed the file meanwhile."""
    version = volunteer.version

    def change() -> None:
        if volunteer.version != version:
            raise Stale
        store.change(volunteer, new.model_dump())
        store.note_access("changed", "volunteer", volunteer.id, 1, world)

    return change_and_look(store, volunteer, world, change, dry_run=dry_run)[1]


def be_absent(
    store: Store, volunteer: Volunteer, new: NewAbsence, world: World, *, dry_run: bool = False
) -> tuple[Absence, list[TouchedRide]]:
    """A time without this volunteer."""
    return change_and_look(store, volunteer, world, lambda: add_absence(store, volunteer, new, world), dry_run=dry_run)


def be_free_no_more(store: Store, volunteer: Volunteer, span: Availability, world: World, *, dry_run: bool = False) -> list[TouchedRide]:
    """A span that was given is taken back."""
    return change_and_look(store, volunteer, world, lambda: remove_hours(store, span, world), dry_run=dry_run)[1]


def keep_apart(store: Store, volunteer: Volunteer, beneficiary_id: UUID, world: World, *, dry_run: bool = False) -> list[TouchedRide]:
    """These two do not ride together from now on."""
    return change_and_look(store, volunteer, world, lambda: refuse_pair(store, volunteer.id, beneficiary_id), dry_run=dry_run)[1]


def bring_together(store: Store, volunteer_id: UUID, beneficiary_id: UUID) -> None:
    """They may ride together again; NotFound when nobody had said that they do not."""
    store.get(Volunteer, volunteer_id)
    if not store.lift_refusal(volunteer_id, beneficiary_id):
        raise NotFound


def take_apart(store: Store, volunteer_id: UUID, beneficiary_id: UUID) -> None:
    """Nothing speaks for this pair any more; NotFound when nothing did."""
    store.get(Volunteer, volunteer_id)
    if not store.untie(volunteer_id, beneficiary_id):
        raise NotFound


def ledger_of(store: Store, volunteer: Volunteer, world: World) -> Ledger:
    """Of the four weeks up to now; rides that were agreed on and whose time has passed count as driven."""
    since = world.now() - LEDGER
    first, last = local_today(store, since), local_today(store, world.now())
    runs = [
        (run, rides)
        for run, rides in store.driven_between(first, last, [volunteer.id])
        if since <= run.starts_at and run.ends_at <= world.now()
    ]
    answers = store.offers_answered(volunteer.id, since)
    return Ledger(
        since=since,
        rides=sum(rides for _, rides in runs),
        minutes=round(sum((run.ends_at - run.starts_at).total_seconds() for run, _ in runs) / 60),
        km=round(sum(run.metres for run, _ in runs) / 1000, 1),
        offers=sum(answers.values()),
        accepted=answers.get("accepted", 0),
        declines=answers.get("declined", 0),
        lapses=answers.get("expired", 0),
    )

"""A volunteer's private calendar: a link that only they have, renewed or ended at any moment.

In: a volunteer, or the secret of a link. Out: a secret, once; or a feed of the runs agreed on. Called by the API.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from dispatch.errors import NotFound
from dispatch.notices.compose import language_of
from dispatch.notices.ical import Entry, write_calendar
from dispatch.storage.database import Database
from dispatch.storage.notice_tables import CalendarLink
from dispatch.storage.notices import calendar_owner
from dispatch.storage.store import Store
from dispatch.storage.tables import Volunteer
from dispatch.world import World

BEHIND, AHEAD = timedelta(days=30), timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Feed:
    """A calendar, and what tells whether it has changed."""

    content: bytes
    etag: str


def renew_calendar_link(store: Store, volunteer_id: UUID, world: World) -> str:
    """A new secret; the one before opens nothing any more."""
    volunteer = store.get(Volunteer, volunteer_id)
    token = world.token(32)
    store.end_calendar_link(volunteer.id)
    row = CalendarLink(id=world.new_id(), volunteer_id=volunteer.id, token_sha256=_digest(token), created_at=world.now())
    store.add(row)
    return token


def end_calendar_link(store: Store, volunteer_id: UUID) -> None:
    """Nobody sees these runs in a calendar any more."""
    store.end_calendar_link(store.get(Volunteer, volunteer_id).id)


def read_calendar(database: Database, token: str, world: World) -> Feed:
    """The feed of whoever has the link; NotFound."""
    with database.read() as session:
        found = calendar_owner(session, _digest(token))
        if found is None:
            raise NotFound
        territory_id, volunteer_id = found
        store = Store(session, territory_id)
        volunteer, territory = store.get(Volunteer, volunteer_id), store.territory()
        now = world.now()
        rows = store.agreed_runs(volunteer_id, now - BEHIND, now + AHEAD)
        entries = [Entry(run.id, run.starts_at, run.ends_at, people, run.revision) for run, people in rows]
        language = language_of(volunteer)
        content = write_calendar(f"Allons, {territory.name}", entries, language, territory.timezone, now)
    about = repr((territory.name, territory.timezone, language, entries))
    return Feed(content, hashlib.sha256(about.encode()).hexdigest()[:32])


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

"""What is done with any row of a territory: keep, read, list, move, change. The rest of `Store` stands on it.

In: a session of `Database.read` or `Database.write`. Out: rows of `tables`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.orm.attributes import set_committed_value

from dispatch.errors import Conflict, NotFound
from dispatch.model.lifecycle import Kind, move
from dispatch.storage.base import Table, change_row
from dispatch.storage.database import enter
from dispatch.storage.log import Event
from dispatch.storage.series_tables import RideSeries
from dispatch.storage.tables import Availability, Beneficiary, Leg, Offer, Round, Run, Territory, TripRequest, UnmetNeed, Volunteer
from dispatch.storage.volunteer_tables import Absence, Credential, Engagement
from dispatch.world import World

N = TypeVar("N", bound=Table)
T = TypeVar("T", Beneficiary, Volunteer, Availability, TripRequest, Leg, Round, Offer, Run, UnmetNeed, Credential, Absence, RideSeries)
Moved = TripRequest | Leg | Offer | Round | Run | Engagement | Credential
KINDS: dict[type[Moved], Kind] = {
    TripRequest: "request",
    Leg: "leg",
    Offer: "offer",
    Round: "round",
    Run: "run",
    Engagement: "engagement",
    Credential: "credential",
}
Moment = InstrumentedAttribute[datetime]


#: What "newest" means in lists.
_PAGE_ORDER: dict[type[Table], Moment] = {
    Absence: Absence.starts_at,
    Availability: Availability.starts_at,
    Beneficiary: Beneficiary.created_at,
    Credential: Credential.created_at,
    Offer: Offer.sent_at,
    RideSeries: RideSeries.created_at,
    Round: Round.queued_at,
    Run: Run.starts_at,
    TripRequest: TripRequest.created_at,
    UnmetNeed: UnmetNeed.noted_at,
    Volunteer: Volunteer.created_at,
}


class Rows:
    """One territory's rows. What belongs to another one is absent here."""

    def __init__(self, session: Session, territory_id: UUID, actor_id: UUID | None = None) -> None:
        self.session = session
        self.territory_id = territory_id
        self._actor_id = actor_id  # who is behind what happens here; none: the service itself
        enter(session, territory_id)

    def territory(self) -> Territory:
        """The territory itself."""
        found = self.session.get(Territory, self.territory_id)
        if found is None:
            raise NotFound
        return found

    def add(self, *rows: Table) -> None:
        """Keep new rows; a broken guarantee shows here rather than at the end."""
        for row in rows:
            row.territory_id = self.territory_id  # type: ignore[attr-defined] # every table but territory and api_key has it
        self.session.add_all(rows)
        self.session.flush()

    def add_unless_there(self, row: Table) -> bool:
        """Keep a new row; False, and nothing happens, when a unique guarantee says that somebody else was quicker."""
        try:
            with self.session.begin_nested():
                self.add(row)
        except IntegrityError:
            return False
        return True

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """What is done inside is undone when an exception leaves it, and nothing else is."""
        with self.session.begin_nested():
            yield

    def move(self, row: Moved, after: str, world: World, reason: str | None = None) -> None:
        """Change a state, by adding an event. IllegalMove when the table does not allow it, Conflict when the row has moved meanwhile."""
        kind = KINDS[type(row)]
        move(kind, row.state, after)
        self.session.flush()
        event: dict[str, Any] = {
            "kind": kind,
            "subject_id": row.id,
            "seq": row.version + 1,
            "before": row.state,
            "after": after,
            "reason": reason,
        }
        event |= {"id": world.new_id(), "territory_id": self.territory_id, "at": world.now(), "actor_id": self._actor_id}
        try:
            self.session.execute(sa.insert(Event).values(event))
        except IntegrityError:
            raise Conflict from None
        self.session.info.setdefault("moved", set()).add(self.territory_id)  # for `Database.write`
        told: dict[str, Any] = {"state": after, "version": row.version + 1}  # what the database has just done
        if isinstance(row, Offer):
            told |= {"answered_at": world.now(), "decline_reason": reason}
        for name, value in told.items():
            set_committed_value(row, name, value)

    def change(self, row: Beneficiary | Volunteer, values: dict[str, Any]) -> None:
        """Edit a row that is at the version it was read at; Stale otherwise."""
        change_row(self.session, row, values, type(row).territory_id == self.territory_id)

    def events(self, subject_id: UUID) -> Sequence[Event]:
        """The life of one thing, from its beginning."""
        query = sa.select(Event).where(Event.territory_id == self.territory_id, Event.subject_id == subject_id)
        return self.session.scalars(query.order_by(Event.seq)).all()

    def flush(self) -> None:
        """Send what was changed, so that what is released is free before it is claimed anew."""
        self.session.flush()

    def get(self, table: type[T], row_id: UUID) -> T:
        """One row; NotFound when absent, erased, or in another territory."""
        query = sa.select(table).where(table.id == row_id, table.territory_id == self.territory_id, *_there(table))
        found = self.session.scalars(query).one_or_none()
        if found is None:
            raise NotFound
        return found

    def page(self, table: type[T], after: UUID | None, limit: int, **equal: object) -> Sequence[T]:
        """Rows of this territory whose columns equal what is given, newest first, after a given row."""
        moment = _PAGE_ORDER[table]
        query = sa.select(table).where(table.territory_id == self.territory_id, *_there(table)).filter_by(**equal)
        return self._newest(query, table, moment, after, limit)

    def _newest(self, query: sa.Select[N], table: Any, moment: Moment, after: UUID | None, limit: int) -> Sequence[N]:
        """What a query finds, newest first, after a given row; NotFound when that is none of this territory."""
        if after is not None:
            last = sa.select(moment, table.id).where(table.id == after, table.territory_id == self.territory_id)
            if self.session.execute(last).one_or_none() is None:
                raise NotFound
            query = query.where(sa.tuple_(moment, table.id) < last.scalar_subquery())
        return self.session.scalars(query.order_by(moment.desc(), table.id.desc()).limit(limit)).all()


def _there(table: type[Table]) -> list[sa.ColumnElement[bool]]:
    """Of people those who were not erased."""
    return [table.erased_at.is_(None)] if issubclass(table, Beneficiary | Volunteer) else []

"""The log of a territory: who looked at whom, what was sealed when, and whether anything was changed since.

In: what happened, or nothing. Out: entries, and faults by the id of the row. Entries are events (`Store.move` adds them) and accesses.
Neither is ever changed; seals are made by the planner's sweep over what is new.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Literal, TypeVar
from uuid import UUID

import sqlalchemy as sa

from dispatch.model.lifecycle import INITIAL
from dispatch.storage.digests import FIRST, digest
from dispatch.storage.log import Access, Event, Seal, Sealed
from dispatch.storage.rows import KINDS, Rows
from dispatch.world import World

T = TypeVar("T", Event, Access)
#: An entry is written within this time of its `at`; so what is older than the last seal by more needs no second look, however long the log.
LATE = timedelta(days=1)
Act = Literal["read", "made", "changed", "erased", "copied"]
_TABLES = {kind: table for table, kind in KINDS.items()}


@dataclass(frozen=True, slots=True)
class LogFault:
    """A row that is not as it was written."""

    table: str
    row: str
    sentence: str


class AuditRows(Rows):
    """The log of a territory."""

    def note_access(self, act: Act, kind: str, subject_id: UUID | None, count: int, world: World) -> None:
        """Somebody looks at or changes people's data, in the same transaction."""
        told: dict[str, Any] = {"act": act, "kind": kind, "subject_id": subject_id, "count": count}
        row = Access(id=world.new_id(), territory_id=self.territory_id, at=world.now(), actor_id=self._actor_id, **told)
        row.digest = _of_access(row)
        self.add(row)

    def log(self, after: UUID | None, limit: int, subject_id: UUID | None) -> Sequence[Event]:
        """Steps of a territory, or of one thing, newest first."""
        return self._entries(Event, after, limit, subject_id)

    def accesses(self, after: UUID | None, limit: int, subject_id: UUID | None) -> Sequence[Access]:
        """Looks at and changes of people's data, newest first."""
        return self._entries(Access, after, limit, subject_id)

    def _entries(self, table: type[T], after: UUID | None, limit: int, subject_id: UUID | None) -> Sequence[T]:
        query = sa.select(table).where(table.territory_id == self.territory_id)
        if subject_id is not None:
            query = query.where(table.subject_id == subject_id)
        return self._newest(query, table, table.at, after, limit)

    # Seals

    def seal(self, world: World) -> int:
        """Seal what is new; how many entries. Of two who seal at once the second is refused, by the seal's number."""
        head = self.head()
        since = head.at - LATE if head else None
        fresh = {row_id: made for table in (Event, Access) for row_id, made in self._unsealed(table, since)}
        if not fresh:
            return 0
        number, at = (head.number if head else 0) + 1, world.now()
        made = digest(head.digest if head else FIRST, self.territory_id, number, at, *(fresh[row_id] for row_id in sorted(fresh)))
        self.add(Seal(number=number, at=at, digest=made))
        covers = [{"entry_id": row_id, "territory_id": self.territory_id, "number": number} for row_id in fresh]
        self.session.execute(sa.insert(Sealed), covers)
        return len(fresh)

    def head(self) -> Seal | None:
        """The newest seal."""
        query = sa.select(Seal).where(Seal.territory_id == self.territory_id).order_by(Seal.number.desc()).limit(1)
        return self.session.scalars(query).one_or_none()

    def _unsealed(self, table: type[Event | Access], since: datetime | None) -> Sequence[Any]:
        there = sa.exists().where(Sealed.entry_id == table.id)
        query = sa.select(table.id, table.digest).where(table.territory_id == self.territory_id, ~there)
        return self.session.execute(query.where(table.at >= since) if since else query).all()

    def _overlooked(self) -> Iterator[LogFault]:
        """Entries that no seal will cover any more: put in since, with a date of the past."""
        if (head := self.head()) is None:
            return
        for table in (Event, Access):
            there = sa.exists().where(Sealed.entry_id == table.id)
            query = sa.select(table.id).where(table.territory_id == self.territory_id, ~there, table.at < head.at - LATE)
            for row_id in self.session.scalars(query):
                yield LogFault(table.__tablename__, str(row_id), "is covered by no seal, and older than the last one")

    # Proof

    def log_faults(self) -> Iterator[LogFault]:
        """Every row of the log that is not as it was written, and every state that the log does not lead to. Cost: the whole log."""
        digests: dict[UUID, str | None] = {}
        heads: dict[UUID, Event] = {}
        query = sa.select(Event).where(Event.territory_id == self.territory_id).order_by(Event.subject_id, Event.seq)
        for _, life in groupby(self.session.scalars(query.execution_options(yield_per=1000)), lambda event: event.subject_id):
            previous: str | None = FIRST
            for expected, event in enumerate(life, 1):
                if (event.seq, event.digest) != (expected, _of_event(event, previous)):
                    yield LogFault("event", str(event.id), "is not as it was written, or does not follow the one before it")
                previous = digests[event.id] = event.digest
                heads[event.subject_id] = event
        yield from self._states_without_events(heads)
        for row in self.session.scalars(sa.select(Access).where(Access.territory_id == self.territory_id)):
            if row.digest != _of_access(row):
                yield LogFault("access", str(row.id), "is not as it was written")
            digests[row.id] = row.digest
        yield from self._broken_seals(digests)
        yield from self._overlooked()

    def _states_without_events(self, heads: dict[UUID, Event]) -> Iterator[LogFault]:
        """What the log does not replay to."""
        there: set[UUID] = set()
        for kind, table in _TABLES.items():
            query = sa.select(table.id, table.state, table.version).where(table.territory_id == self.territory_id)
            for row_id, state, version in self.session.execute(query):
                there.add(row_id)
                head = heads.get(row_id)
                if (state, version) != ((head.after, head.seq) if head else (INITIAL[kind], 0)):
                    yield LogFault(table.__tablename__, str(row_id), "has a state that its events do not lead to")
        for subject_id, head in heads.items():
            if subject_id not in there:
                yield LogFault("event", str(head.id), "tells of something that is not there")

    def _broken_seals(self, digests: dict[UUID, str | None]) -> Iterator[LogFault]:
        covered: defaultdict[int, list[UUID]] = defaultdict(list)
        query = sa.select(Sealed.entry_id, Sealed.number).where(Sealed.territory_id == self.territory_id)
        for row_id, number in self.session.execute(query):
            covered[number].append(row_id)
        previous = FIRST
        seals = sa.select(Seal).where(Seal.territory_id == self.territory_id).order_by(Seal.number)
        for expected, seal in enumerate(self.session.scalars(seals), 1):
            found = [digests.get(row_id, "removed") for row_id in sorted(covered.pop(seal.number, []))]
            if (seal.number, seal.digest) != (expected, digest(previous, self.territory_id, seal.number, seal.at, *found)):
                yield LogFault("seal", str(seal.number), "does not fit: entries were changed, removed or put in, or a seal before it was")
            previous = seal.digest
        for number in covered:
            yield LogFault("sealed", str(number), "names a seal that is not there")


def _of_event(row: Event, previous: str | None) -> str:
    step = (row.kind, row.subject_id, row.seq, row.before, row.after, row.at, row.actor_id, row.reason)
    return digest(previous, row.id, row.territory_id, *step)


def _of_access(row: Access) -> str:
    return digest(row.id, row.territory_id, row.act, row.kind, row.subject_id, row.count, row.at, row.actor_id)

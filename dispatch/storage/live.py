"""The log as it grows: steps in an order that every process sees the same, and that nothing is ever put into behind what was read.

In: a `Store`. Out: steps with their place. Called by `engine.live`. The moment of a step is no such order: whoever took it may commit late.
SQLite writes one transaction after the other, so that the number of a row is its place. PostgreSQL's place is the transaction that wrote
the row; places from the oldest transaction that is still going on may yet be taken, and what has them is read later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from dispatch.storage.geometry import Instant
from dispatch.storage.log import Event
from dispatch.storage.rows import Rows

LATE = timedelta(minutes=10)  # a step is committed within this time of its moment: pauses and statements are limited (`storage.database`)
#: Of a row, as a number that does not start anew: its own 32 bits, counted back from the first transaction to come.
_PLACE = {
    "sqlite": "event.rowid",
    "postgresql": "(s.after - ((s.after - event.xmin::text::bigint) & 4294967295))",
}
_STAGE = {
    "sqlite": "(SELECT coalesce(max(rowid), 0) + 1 AS open FROM event) s",
    "postgresql": "(SELECT pg_snapshot_xmin(n)::text::bigint AS open, pg_snapshot_xmax(n)::text::bigint AS after "
    "FROM pg_current_snapshot() n) s",
}
_COLUMNS = "event.id, event.kind, event.subject_id, event.seq, event.after AS state, event.at"


@dataclass(frozen=True, slots=True)
class Step:
    """One step, and where it stands."""

    place: int
    at: datetime
    version: int
    id: UUID
    kind: str
    subject_id: UUID
    state: str

    @property
    def order(self) -> tuple[int, datetime, int, int]:
        """What steps are told in; those of one thing as they were taken."""
        return (self.place, self.at, self.version, self.id.int)


class LiveRows(Rows):
    """Steps of a territory, as they come."""

    def steps_end(self) -> int:
        """Every step before this place is there: none will come any more."""
        return int(self.session.execute(sa.text(f"SELECT s.open FROM {_STAGE[self._dialect]}")).scalar_one())  # noqa: S608 - ours

    def steps_from(self, first: int, end: int | None, since: datetime | None, limit: int) -> Sequence[Step]:
        """Steps at `first` or behind it and before `end`, in their order; `since`: when the oldest of them was taken, or before."""
        more = {"territory": self.territory_id, "first": first, "end": end if end is not None else 2**62, "since": since, "limit": limit}
        when = "AND event.at >= :since" if since is not None else ""
        return self._steps(f"{{place}} >= :first AND {{place}} < :end {when} ORDER BY {{place}}, event.at, event.seq LIMIT :limit", more)

    def newest_step(self, end: int) -> Step | None:
        """The last one before a place."""
        newest = sa.select(sa.func.max(Event.at)).where(Event.territory_id == self.territory_id)
        at = self.session.scalar(newest)
        if at is None:
            return None
        more = {"territory": self.territory_id, "end": end, "since": at - LATE}
        order = "ORDER BY {place} DESC, event.at DESC, event.seq DESC LIMIT 1"
        found = self._steps(f"{{place}} < :end AND event.at >= :since {order}", more)
        return found[0] if found else None

    def step(self, event_id: UUID) -> Step | None:
        """One of this territory."""
        found = self._steps("event.id = :id", {"territory": self.territory_id, "id": event_id})
        return found[0] if found else None

    @property
    def _dialect(self) -> str:
        return self.session.get_bind().dialect.name

    def _steps(self, condition: str, values: dict[str, Any]) -> Sequence[Step]:
        place = _PLACE[self._dialect]
        text = (
            f"SELECT {place} AS place, {_COLUMNS} FROM event CROSS JOIN {_STAGE[self._dialect]} "  # noqa: S608 - all of it is written here
            f"WHERE event.territory_id = :territory AND {condition.replace('{place}', place)}"
        )
        kinds: dict[str, Any] = {"territory": sa.Uuid(), "id": sa.Uuid(), "since": Instant()}
        bound = [sa.bindparam(name, value, kinds.get(name, sa.BigInteger())) for name, value in values.items() if f":{name}" in text]
        query = sa.text(text).bindparams(*bound)
        typed = query.columns(place=sa.BigInteger(), id=sa.Uuid(), kind=sa.String(), subject_id=sa.Uuid(), seq=sa.Integer(),
                              state=sa.String(), at=Instant())  # fmt: skip
        return [Step(row.place, row.at, row.seq, row.id, row.kind, row.subject_id, row.state) for row in self.session.execute(typed)]

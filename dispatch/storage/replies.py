"""What creating requests were answered, so that a repeated request has one effect and one answer.

In: the client, its key for the request, and a digest of the request. Out: the answer given before, if any. The row is written in the
transaction of what it tells about: either both are there or neither. Called by `api.once`; `forget` by the planner's sweep.
"""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from dispatch.errors import KeyReused
from dispatch.storage.tables import Reply

KEPT = timedelta(hours=48)


class Replies:
    """Those of the territory that the session is in."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def lock(self, client_id: UUID, key: str) -> None:
        """Of requests with one key at once, the second waits for the first."""
        if self._session.connection().dialect.name == "postgresql":  # SQLite has one writer anyway
            self._session.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 1))"), {"name": f"{client_id} {key}"})

    def find(self, client_id: UUID, key: str, request_sha256: str) -> Reply | None:
        """What was answered before; KeyReused when that was another request."""
        found = self._session.get(Reply, (client_id, key))
        if found is not None and found.request_sha256 != request_sha256:
            raise KeyReused
        return found

    def keep(self, reply: Reply) -> None:
        """Remember an answer."""
        self._session.add(reply)
        self._session.flush()

    def forget(self, territory_id: UUID | None, now: datetime) -> None:
        """Drop answers nobody will ask for again."""
        self._session.execute(sa.delete(Reply).where(Reply.territory_id.is_not_distinct_from(territory_id), Reply.created_at < now - KEPT))

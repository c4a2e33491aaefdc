"""What belongs to the installation rather than to a territory: territories and keys.

In: a session of `Database.read` or `Database.write`. Out: rows of `tables`. Called by services, which never commit.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from dispatch.storage.tables import ApiKey, Territory


class Registry:
    """What belongs to the installation rather than to a territory."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, row: Territory | ApiKey) -> None:
        """Keep a new row; a broken guarantee shows here rather than at the end."""
        self._session.add(row)
        self._session.flush()

    def territories(self) -> Sequence[Territory]:
        """All, by name."""
        return self._session.scalars(sa.select(Territory).order_by(Territory.name)).all()

    def territory_named(self, name: str) -> Territory | None:
        """By its exact name."""
        return self._session.scalars(sa.select(Territory).where(Territory.name == name)).one_or_none()

    def api_keys(self) -> Sequence[ApiKey]:
        """All, oldest first."""
        return self._session.scalars(sa.select(ApiKey).order_by(ApiKey.created_at, ApiKey.prefix)).all()

    def key(self, prefix: str) -> ApiKey | None:
        """By the open part of its text."""
        return self._session.scalars(sa.select(ApiKey).where(ApiKey.prefix == prefix)).one_or_none()

"""What belongs to the installation rather than to a territory: territories, keys, and the list of accounts.

In: a session of `Database.read` or `Database.write`. Out: rows of `tables`. Called by services, which never commit.
"""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from dispatch.errors import NotFound
from dispatch.storage.accounts import Account
from dispatch.storage.base import change_row
from dispatch.storage.tables import ApiKey, Territory

T = TypeVar("T", Territory, ApiKey, Account)


def one_page(session: Session, query: sa.Select[T], table: type[T], after: UUID | None, limit: int) -> Sequence[T]:
    """What a query finds, oldest first, after a given row; NotFound when that is not of its table's rows that may be seen."""
    if after is not None:
        last = query.with_only_columns(table.created_at, table.id).where(table.id == after)
        if session.execute(last).one_or_none() is None:
            raise NotFound
        query = query.where(sa.tuple_(table.created_at, table.id) > last.scalar_subquery())
    return session.scalars(query.order_by(table.created_at, table.id).limit(limit)).all()


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

    def page_of_territories(self, only: UUID | None, after: UUID | None, limit: int) -> Sequence[Territory]:
        """One, or all; oldest first."""
        query = sa.select(Territory).where(Territory.id == only) if only else sa.select(Territory)
        return one_page(self._session, query, Territory, after, limit)

    def page_of_keys(self, territory_id: UUID, after: UUID | None, limit: int) -> Sequence[ApiKey]:
        """Those of a territory, oldest first."""
        return one_page(self._session, sa.select(ApiKey).where(ApiKey.territory_id == territory_id), ApiKey, after, limit)

    def page_of_accounts(self, territory_id: UUID, after: UUID | None, limit: int) -> Sequence[Account]:
        """Those of a territory that have not ended, oldest first."""
        query = sa.select(Account).where(Account.territory_id == territory_id, Account.ended_at.is_(None))
        return one_page(self._session, query, Account, after, limit)

    def territory(self, territory_id: UUID) -> Territory:
        """By its id; NotFound."""
        found = self._session.get(Territory, territory_id)
        if found is None:
            raise NotFound
        return found

    def change(self, row: Territory, values: dict[str, Any]) -> None:
        """Edit a territory that is at the version it was read at; Stale otherwise."""
        change_row(self._session, row, values)

    def api_keys(self) -> Sequence[ApiKey]:
        """All, oldest first."""
        return self._session.scalars(sa.select(ApiKey).order_by(ApiKey.created_at, ApiKey.prefix)).all()

    def key_of(self, territory_id: UUID, key_id: UUID) -> ApiKey | None:
        """A territory's own, by its id."""
        return self._session.scalars(sa.select(ApiKey).where(ApiKey.id == key_id, ApiKey.territory_id == territory_id)).one_or_none()

    def key(self, prefix: str) -> ApiKey | None:
        """By the open part of its text."""
        return self._session.scalars(sa.select(ApiKey).where(ApiKey.prefix == prefix)).one_or_none()

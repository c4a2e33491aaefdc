"""What all tables are made of: the base class, columns that several share, and constraints that are written the same everywhere."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from dispatch.model.lifecycle import Kind, states
from dispatch.storage.geometry import Instant

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(DeclarativeBase):
    """Base of all tables."""

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map = {UUID: sa.Uuid(), datetime: Instant(), dict[str, Any]: sa.JSON(), list[str]: sa.JSON()}  # noqa: RUF012


def within(*columns: str) -> tuple[sa.ForeignKeyConstraint, ...]:
    """Composite foreign keys that stay in the territory: `beneficiary_id` points to table `beneficiary`, and so on."""
    parents = {"request_id": "trip_request"}
    return tuple(
        sa.ForeignKeyConstraint(["territory_id", column], [f"{(p := parents.get(column, column[:-3]))}.territory_id", f"{p}.id"])
        for column in columns
    )


def is_person() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["territory_id", "id"], ["person.territory_id", "person.id"])


def one_of(column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


def where(condition: str) -> dict[str, Any]:
    """A partial index on both databases."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def state_of(kind: Kind) -> sa.CheckConstraint:
    return one_of("state", states(kind))


class Edited:
    """A column of what people edit: how often that has happened. Of two who edit at once, the second one fails."""

    version: Mapped[int] = mapped_column(server_default="1", default=1)


class OfTerritory:
    """Columns of everything that belongs to a territory."""

    id: Mapped[UUID] = mapped_column(primary_key=True)
    territory_id: Mapped[UUID] = mapped_column(sa.ForeignKey("territory.id"))


class Moved(OfTerritory):
    """Columns of what has a life: its state, and the number of the event that led there."""

    state: Mapped[str] = mapped_column(sa.String(20))
    version: Mapped[int] = mapped_column(server_default="0", default=0)

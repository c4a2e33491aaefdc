"""What all tables are made of: the base class, columns that several share, and constraints that are written the same everywhere."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from dispatch.errors import Stale
from dispatch.model.lifecycle import Kind, states
from dispatch.model.notices import FORMS, LANGUAGES
from dispatch.model.roles import ROLES
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
    parents = {"request_id": "trip_request", "series_id": "ride_series"}
    return tuple(
        sa.ForeignKeyConstraint(["territory_id", column], [f"{(p := parents.get(column, column[:-3]))}.territory_id", f"{p}.id"])
        for column in columns
    )


def is_person() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["territory_id", "id"], ["person.territory_id", "person.id"])


def told_how() -> tuple[sa.CheckConstraint, ...]:
    """How a person is told things: in which language, and by what first."""
    return one_of("language", LANGUAGES), one_of("preferred_channel", FORMS)


def one_of(column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


def where(condition: str) -> dict[str, Any]:
    """A partial index on both databases."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def state_of(kind: Kind) -> sa.CheckConstraint:
    return one_of("state", states(kind))


def opens_to() -> tuple[sa.CheckConstraint, ...]:
    """As whom and where: an admin is of no territory, and who holds something is a driver or beneficiary."""
    return (
        one_of("role", ROLES),
        sa.CheckConstraint("(role = 'admin') = (territory_id IS NULL)", name="admin_is_of_no_territory"),
        sa.CheckConstraint("(role IN ('driver', 'beneficiary')) = (holder_id IS NOT NULL)", name="holder"),
    )


class Opens:
    """Columns of what lets somebody in: as whom, and where."""

    id: Mapped[UUID] = mapped_column(primary_key=True)
    territory_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("territory.id"))
    role: Mapped[str] = mapped_column(sa.String(20))
    holder_id: Mapped[UUID | None]  # the volunteer or beneficiary it is for
    created_at: Mapped[datetime]


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


def change_row(session: Session, row: Any, values: dict[str, Any], *within: sa.ColumnElement[bool]) -> None:
    """Edit a row that is at the version it was read at; Stale otherwise."""
    table = type(row)
    edit = sa.update(table).where(table.id == row.id, table.version == row.version, *within)
    done = session.execute(edit.values(**values, version=row.version + 1), execution_options={"synchronize_session": False})
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise Stale
    session.refresh(row)

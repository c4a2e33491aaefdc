"""Tables of volunteers' lives: how far they are with us, their papers, when they are free every week and when they are not.

Read and written through `storage.volunteers`. A paper's file is sealed with the person's key, in a table that planners cannot read.
"""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.storage.base import Moved, OfTerritory, Table, one_of, state_of, where, within


class Engagement(Moved, Table):
    """From the application to the farewell; the id is the volunteer's. `volunteer.active` follows it, by the database itself."""

    __tablename__ = "engagement"
    __table_args__ = (
        sa.UniqueConstraint("territory_id", "id"),
        sa.ForeignKeyConstraint(["territory_id", "id"], ["volunteer.territory_id", "volunteer.id"]),
        state_of("engagement"),
    )


class Credential(Moved, Table):
    """A paper, and until when it holds."""

    __tablename__ = "credential"
    __table_args__ = (
        sa.UniqueConstraint("territory_id", "id"),
        *within("volunteer_id"),
        state_of("credential"),
        sa.CheckConstraint("issued_on IS NULL OR expires_on IS NULL OR issued_on < expires_on", name="ordered"),
        sa.CheckConstraint("state <> 'valid' OR verified_at IS NOT NULL", name="looked_at"),
        sa.Index("uq_credential_valid", "volunteer_id", "kind", unique=True, **where("state = 'valid'")),
        sa.Index(None, "volunteer_id"),
        sa.Index("ix_credential_ends", "territory_id", "expires_on", **where("state = 'valid'")),
        sa.Index(None, "territory_id", "created_at", "id"),
    )
    volunteer_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(sa.String(30))
    issued_on: Mapped[date | None]
    expires_on: Mapped[date | None]  # the first day on which it does not hold any more
    verified_by: Mapped[UUID | None]  # a key or account
    verified_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class CredentialFile(OfTerritory, Table):
    """The picture of a paper; opened for staff only, and every look is on record."""

    __tablename__ = "credential_file"
    __table_args__ = (
        sa.ForeignKeyConstraint(["territory_id", "credential_id"], ["credential.territory_id", "credential.id"], ondelete="CASCADE"),
        sa.UniqueConstraint("credential_id"),
        one_of("media_type", ("application/pdf", "image/jpeg", "image/png")),
    )
    credential_id: Mapped[UUID]
    media_type: Mapped[str] = mapped_column(sa.String(20))
    size: Mapped[int]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime]


class WeeklyHours(OfTerritory, Table):
    """Hours of a weekday in which somebody is free, by the wall of the territory."""

    __tablename__ = "weekly_hours"
    __table_args__ = (
        *within("volunteer_id"),
        sa.CheckConstraint("weekday BETWEEN 1 AND 7 AND every_weeks >= 1", name="of_a_week"),
        sa.CheckConstraint("starts < ends", name="ordered"),
        sa.CheckConstraint("valid_until IS NULL OR valid_from <= valid_until", name="valid_ordered"),
        sa.Index(None, "volunteer_id"),
        sa.Index(None, "territory_id", "weekday"),
    )
    volunteer_id: Mapped[UUID]
    weekday: Mapped[int]  # 1 is Monday
    starts: Mapped[str] = mapped_column(sa.String(5))
    ends: Mapped[str] = mapped_column(sa.String(5))  # 24:00 is midnight
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]  # the last day
    every_weeks: Mapped[int]  # counted from the week of `valid_from`


class Absence(OfTerritory, Table):
    """A time in which somebody does not drive, whatever else was said. Why is not kept."""

    __tablename__ = "absence"
    __table_args__ = (
        *within("volunteer_id"),
        sa.CheckConstraint("starts_at < ends_at", name="ordered"),
        sa.Index(None, "volunteer_id"),
        sa.Index(None, "territory_id", "ends_at"),
    )
    volunteer_id: Mapped[UUID]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    created_at: Mapped[datetime]

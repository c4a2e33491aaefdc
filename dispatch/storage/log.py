"""The tables of what happened: steps, looks at people's data, and the seals over both. None of them is ever changed.

Digests are in `storage.digests`, triggers in the migrations (`0002`, `0005`). Written by `Store.move` and `storage.audit`.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.storage.base import OfTerritory, Table, one_of


class Transition(Table):
    """What may follow what: `model.lifecycle.TABLE` as rows, so that no program can take another step."""

    __tablename__ = "transition"
    kind: Mapped[str] = mapped_column(sa.String(10), primary_key=True)
    before: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    after: Mapped[str] = mapped_column(sa.String(20), primary_key=True)


class Event(OfTerritory, Table):
    """One step in the life of a request, leg, offer, round or run. Adding it is what changes the state; it is never changed or removed.

    `seq` counts from 1 for each subject without gaps: of two people who change the same thing at once, the second one fails.
    """

    __tablename__ = "event"
    __table_args__ = (
        sa.ForeignKeyConstraint(["kind", "before", "after"], ["transition.kind", "transition.before", "transition.after"]),
        sa.UniqueConstraint("subject_id", "seq"),
        sa.CheckConstraint("seq >= 1", name="counts_from_one"),
        sa.Index(None, "territory_id", "at"),
    )
    kind: Mapped[str] = mapped_column(sa.String(10))
    subject_id: Mapped[UUID]
    seq: Mapped[int]
    before: Mapped[str] = mapped_column(sa.String(20))
    after: Mapped[str] = mapped_column(sa.String(20))
    reason: Mapped[str | None] = mapped_column(sa.String(30))
    at: Mapped[datetime]
    actor_id: Mapped[UUID | None]  # the key or account behind it; none: the service itself
    digest: Mapped[str | None] = mapped_column(sa.String(64))  # over this step and the digest before it; the database writes it


class Access(OfTerritory, Table):
    """Somebody looked at people's data, or changed them. Who, when, whose; never what was there."""

    __tablename__ = "access"
    __table_args__ = (
        one_of("act", ("read", "made", "changed", "erased", "copied")),
        sa.CheckConstraint("count >= 1", name="positive"),
        sa.Index(None, "territory_id", "at"),
        sa.Index(None, "subject_id"),
    )
    act: Mapped[str] = mapped_column(sa.String(10))
    kind: Mapped[str] = mapped_column(sa.String(20))
    subject_id: Mapped[UUID | None]  # none: a list
    count: Mapped[int]
    at: Mapped[datetime]
    actor_id: Mapped[UUID | None]
    digest: Mapped[str] = mapped_column(sa.String(64))


class Seal(Table):
    """What the log held at a moment, as one digest that follows the seal before it. To be kept outside: `allons audit head`."""

    __tablename__ = "seal"
    __table_args__ = (sa.CheckConstraint("number >= 1", name="counts_from_one"),)
    territory_id: Mapped[UUID] = mapped_column(sa.ForeignKey("territory.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    digest: Mapped[str] = mapped_column(sa.String(64))


class Sealed(Table):
    """Which seal covers an entry."""

    __tablename__ = "sealed"
    __table_args__ = (
        sa.ForeignKeyConstraint(["territory_id", "number"], ["seal.territory_id", "seal.number"]),
        sa.Index(None, "territory_id", "number"),
    )
    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    territory_id: Mapped[UUID]
    number: Mapped[int]

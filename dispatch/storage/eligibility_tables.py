"""The table of who may ask for rides. As `storage.tables`, read and written through `Store`."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.model.eligibility import ELIGIBILITY_KINDS, PROOFS
from dispatch.storage.base import OfTerritory, Table, one_of


class Eligibility(OfTerritory, Table):
    """What is written of whether a person may ask for rides: one row each, whose id is the person's. Which paper was seen is not in it."""

    __tablename__ = "eligibility"
    __table_args__ = (
        sa.ForeignKeyConstraint(["territory_id", "id"], ["beneficiary.territory_id", "beneficiary.id"]),
        one_of("kind", ELIGIBILITY_KINDS),
        one_of("proof", PROOFS),
        sa.CheckConstraint("valid_from IS NULL OR valid_until IS NULL OR valid_from <= valid_until", name="ordered"),
        sa.CheckConstraint("kind <> 'temporary' OR valid_until IS NOT NULL", name="temporary_ends"),
        sa.CheckConstraint("rides_a_month >= 1", name="some_rides"),
    )
    kind: Mapped[str] = mapped_column(sa.String(20))
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]  # the last day
    purposes: Mapped[list[str]]
    rides_a_month: Mapped[int | None]
    companion: Mapped[bool]
    proof: Mapped[str] = mapped_column(sa.String(10))
    seen_on: Mapped[date | None]
    written_by: Mapped[UUID | None]  # a key or account
    written_at: Mapped[datetime]

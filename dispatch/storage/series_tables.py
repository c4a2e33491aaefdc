"""Tables of rides that come again: what was asked for, and what became of each date.

As `storage.tables`, read and written through `Store`.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.storage.base import Edited, OfTerritory, Table, within


class RideSeries(Edited, OfTerritory, Table):
    """A pattern of dates and the wish of each of them. What is written anew from a day on is another row, which follows this one."""

    __tablename__ = "ride_series"
    __table_args__ = (
        sa.UniqueConstraint("territory_id", "id"),
        *within("beneficiary_id"),
        sa.ForeignKeyConstraint(["territory_id", "follows"], ["ride_series.territory_id", "ride_series.id"]),
        sa.Index(None, "beneficiary_id"),
        sa.Index(None, "territory_id", "made_until"),
        sa.Index(None, "territory_id", "created_at", "id"),
    )
    beneficiary_id: Mapped[UUID]
    wish: Mapped[dict[str, Any]]  # `model.series.NewSeries`, but for the person and the days; empty once the person is erased
    first_day: Mapped[date]
    last_day: Mapped[date | None]  # before the first one: it was ended before it began
    made_until: Mapped[date]  # until here each date was looked at
    follows: Mapped[UUID | None]  # what was written anew
    entered_by: Mapped[UUID | None]
    by_staff: Mapped[bool]
    created_at: Mapped[datetime]


class SeriesDate(OfTerritory, Table):
    """A date of a series, once: its ride, or why there is none."""

    __tablename__ = "series_date"
    __table_args__ = (
        *within("series_id", "request_id"),
        sa.UniqueConstraint("series_id", "day"),
        sa.UniqueConstraint("request_id"),
        sa.CheckConstraint("request_id IS NOT NULL OR reason IS NOT NULL", name="ride_or_reason"),
    )
    series_id: Mapped[UUID]
    day: Mapped[date]  # as the pattern has it
    moved_to: Mapped[date | None]
    request_id: Mapped[UUID | None]
    reason: Mapped[str | None] = mapped_column(sa.String(30))  # why there is no ride, or none any more

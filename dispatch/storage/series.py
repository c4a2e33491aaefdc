"""Queries about rides that come again."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from dispatch.errors import NotFound
from dispatch.storage.base import change_row
from dispatch.storage.rows import Rows
from dispatch.storage.series_tables import RideSeries, SeriesDate


class SeriesRows(Rows):
    """Series of a territory."""

    def series_held(self, series_id: UUID) -> RideSeries:
        """One series, fresh, and nobody else's until the end of the transaction; NotFound when there is none."""
        query = sa.select(RideSeries).where(RideSeries.id == series_id, RideSeries.territory_id == self.territory_id)
        found = self.session.scalars(query.with_for_update(), execution_options={"populate_existing": True}).one_or_none()
        if found is None:
            raise NotFound
        return found

    def series_of(self, beneficiary_id: UUID) -> Sequence[RideSeries]:
        """Of a person, latest first."""
        query = sa.select(RideSeries).where(RideSeries.territory_id == self.territory_id, RideSeries.beneficiary_id == beneficiary_id)
        return self.session.scalars(query.order_by(RideSeries.created_at.desc(), RideSeries.id)).all()

    def series_of_request(self, request_id: UUID) -> UUID | None:
        """The series that a request is a ride of."""
        mine = (SeriesDate.territory_id == self.territory_id, SeriesDate.request_id == request_id)
        return self.session.scalars(sa.select(SeriesDate.series_id).where(*mine)).one_or_none()

    def series_to_extend(self, until: date) -> Sequence[UUID]:
        """Series that go on, and of which not every date until a day was looked at."""
        query = sa.select(RideSeries.id).where(
            RideSeries.territory_id == self.territory_id,
            RideSeries.made_until < until,
            RideSeries.first_day <= until,
            sa.or_(RideSeries.last_day.is_(None), RideSeries.made_until < RideSeries.last_day),
        )
        return self.session.scalars(query.order_by(RideSeries.id)).all()

    def series_dates(self, series_id: UUID, first: date, last: date | None = None) -> dict[date, SeriesDate]:
        """What became of dates, by day."""
        query = sa.select(SeriesDate).where(
            SeriesDate.territory_id == self.territory_id, SeriesDate.series_id == series_id, SeriesDate.day >= first
        )
        found = self.session.scalars((query if last is None else query.where(SeriesDate.day <= last)).order_by(SeriesDate.day))
        return {row.day: row for row in found}

    def change_series(self, row: RideSeries, values: dict[str, Any]) -> None:
        """Edit a series that is at the version it was read at; Stale otherwise."""
        change_row(self.session, row, values, RideSeries.territory_id == self.territory_id)

    def remove_date(self, row: SeriesDate) -> None:
        """As if nobody had looked at this date yet."""
        self.session.delete(row)
        self.session.flush()

    def forget_series(self, beneficiary_id: UUID, last_day: date) -> None:
        """What was wished for goes; that there was something stays, and nothing comes of it any more."""
        for row in self.series_of(beneficiary_id):
            ends = last_day if row.last_day is None else min(last_day, row.last_day)
            self.change_series(row, {"wish": {}, "last_day": ends})

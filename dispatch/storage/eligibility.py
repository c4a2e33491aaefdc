"""Queries about who may ask for rides, and about rides and series that go beyond what is written."""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa

from dispatch.model.lifecycle import WANTED_REQUEST
from dispatch.storage.eligibility_tables import Eligibility
from dispatch.storage.rows import Rows
from dispatch.storage.series_tables import RideSeries
from dispatch.storage.tables import Leg, TripRequest
from dispatch.storage.trips import moment_of_trip

_IN_VAIN = ("cancelled", "late_cancelled", "missed", "unmet")  # ways that came to nothing, but for those whose person was not there


@dataclass(frozen=True, slots=True)
class Beyond:
    """Accepted rides of a person on days that no eligibility covers."""

    person_id: UUID
    rides: int
    first_at: datetime
    valid_until: date | None


class EligibilityRows(Rows):
    """Who may ask in a territory."""

    def eligibility(self, beneficiary_id: UUID, *, hold: bool = False) -> Eligibility | None:
        """What is written about somebody. `hold`: fresh, and nobody else's until the end of the transaction."""
        if not hold:
            known = self.session.get(Eligibility, beneficiary_id)  # asked for again and again while days are looked through
            return known if known is not None and known.territory_id == self.territory_id else None
        query = sa.select(Eligibility).where(Eligibility.id == beneficiary_id, Eligibility.territory_id == self.territory_id)
        return self.session.scalars(query.with_for_update(), execution_options={"populate_existing": True}).one_or_none()

    def forget_eligibility(self, row: Eligibility) -> None:
        """As if nothing had ever been written."""
        self.session.delete(row)
        self.session.flush()

    def rides_in_month(self, beneficiary_id: UUID, day: date) -> int:
        """Requests of somebody for the month of a day: not those refused, cancelled, or driven by nobody."""
        last = day.replace(day=calendar.monthrange(day.year, day.month)[1])
        driven = sa.exists().where(Leg.request_id == TripRequest.id, Leg.state.not_in(_IN_VAIN))
        query = sa.select(sa.func.count()).where(
            TripRequest.territory_id == self.territory_id,
            TripRequest.beneficiary_id == beneficiary_id,
            TripRequest.service_date.between(day.replace(day=1), last),
            TripRequest.state.in_((*WANTED_REQUEST, "closed")),
            driven,
        )
        return self.session.scalars(query.select_from(TripRequest)).one()

    def rides_beyond(self, today: date, ends_until: date, limit: int, beneficiary_id: UUID | None = None) -> Sequence[Beyond]:
        """By person, the first ride first: accepted rides from today on of people for whom nothing is written, or on days before it begins,
        or after its end where that is until a day; but for those that staff asked for past the rules."""
        first_at = sa.type_coerce(sa.func.min(moment_of_trip()), TripRequest.arrive_by.type)
        ended = sa.and_(TripRequest.service_date > Eligibility.valid_until, Eligibility.valid_until <= ends_until)
        query = (
            sa.select(TripRequest.beneficiary_id, sa.func.count(), first_at, Eligibility.valid_until)
            .outerjoin(Eligibility, Eligibility.id == TripRequest.beneficiary_id)
            .where(
                TripRequest.territory_id == self.territory_id,
                TripRequest.state == "accepted",
                TripRequest.service_date >= today,
                TripRequest.override.is_(False),
                sa.or_(Eligibility.id.is_(None), TripRequest.service_date < Eligibility.valid_from, ended),
            )
            .group_by(TripRequest.beneficiary_id, Eligibility.valid_until)
            .order_by(first_at, TripRequest.beneficiary_id)
            .limit(limit)
        )
        if beneficiary_id is not None:
            query = query.where(TripRequest.beneficiary_id == beneficiary_id)
        return [Beyond(*row) for row in self.session.execute(query)]

    def series_beyond(self, today: date, ends_until: date) -> dict[UUID, date | None]:
        """People whose series go on where nothing is written, or after its end, where that is until a day; and that end."""
        after = sa.or_(RideSeries.last_day.is_(None), RideSeries.last_day > Eligibility.valid_until)
        query = (
            sa.select(RideSeries.beneficiary_id, Eligibility.valid_until, RideSeries.wish)
            .outerjoin(Eligibility, Eligibility.id == RideSeries.beneficiary_id)
            .where(
                RideSeries.territory_id == self.territory_id,
                sa.or_(RideSeries.last_day.is_(None), RideSeries.last_day >= today),
                sa.or_(Eligibility.id.is_(None), sa.and_(Eligibility.valid_until <= ends_until, after)),
            )
            .order_by(RideSeries.id)
        )
        return {person: ends for person, ends, wish in self.session.execute(query) if wish and not wish.get("override")}

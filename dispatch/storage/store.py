"""Every query there is. A `Store` sees one territory and nothing else; `Registry` sees territories and keys.

In: a session of `Database.read` or `Database.write`. Out: rows of `tables`. Called by services, which never commit.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from dispatch.errors import NotFound
from dispatch.storage.tables import (
    ApiKey,
    Assignment,
    Availability,
    Beneficiary,
    Leg,
    Offer,
    OfferLeg,
    Refusal,
    Round,
    Table,
    Territory,
    TripRequest,
    UnservedLeg,
    Volunteer,
)

T = TypeVar("T", Beneficiary, Volunteer, Availability, TripRequest, Leg, Round, Offer)
Moment = InstrumentedAttribute[datetime]


#: What "newest" means in lists.
_PAGE_ORDER: dict[type[Table], Moment] = {
    Availability: Availability.starts_at,
    Beneficiary: Beneficiary.created_at,
    Offer: Offer.sent_at,
    Round: Round.queued_at,
    TripRequest: TripRequest.created_at,
    Volunteer: Volunteer.created_at,
}


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

    def waiting_days(self, now: datetime, failed_since: datetime) -> set[tuple[UUID, date]]:
        """(territory, service date) of legs that wait and whose time has not come, but for days whose round failed of late."""
        failed = sa.select(Round.id).where(
            Round.territory_id == TripRequest.territory_id,
            Round.service_date == TripRequest.service_date,
            Round.state == "failed",
            Round.failure != "overtaken",
            Round.finished_at > failed_since,
        )
        query = (
            sa.select(TripRequest.territory_id, TripRequest.service_date)
            .join(Leg, Leg.request_id == TripRequest.id)
            .where(Leg.state == "pending", sa.func.coalesce(TripRequest.return_after, _moment()) > now, ~failed.exists())
            .distinct()
        )
        return {(territory, day) for territory, day in self._session.execute(query)}

    def queued_rounds(self) -> Sequence[tuple[UUID, UUID]]:
        """(territory, round), first come first served."""
        query = sa.select(Round.territory_id, Round.id).where(Round.state == "queued").order_by(Round.queued_at, Round.id)
        return [(territory, found) for territory, found in self._session.execute(query)]

    def overdue_offers(self, now: datetime) -> Sequence[tuple[UUID, UUID]]:
        """(territory, offer) that nobody answered in time."""
        query = sa.select(Offer.territory_id, Offer.id).where(Offer.state == "sent", Offer.expires_at <= now)
        return [(territory, offer) for territory, offer in self._session.execute(query)]

    def stale_rounds(self, before: datetime) -> Sequence[tuple[UUID, UUID]]:
        """(territory, round) that a planner started long ago and never finished."""
        query = sa.select(Round.territory_id, Round.id).where(Round.state == "running", Round.started_at < before)
        return [(territory, found) for territory, found in self._session.execute(query)]


class Store:
    """One territory's rows. What belongs to another one is absent here."""

    def __init__(self, session: Session, territory_id: UUID) -> None:
        self._session = session
        self.territory_id = territory_id

    def territory(self) -> Territory:
        """The territory itself."""
        found = self._session.get(Territory, self.territory_id)
        if found is None:
            raise NotFound
        return found

    def add(self, *rows: Table) -> None:
        """Keep new rows; a broken guarantee shows here rather than at the end."""
        for row in rows:
            row.territory_id = self.territory_id  # type: ignore[attr-defined] # every table but territory and api_key has it
        self._session.add_all(rows)
        self._session.flush()

    def add_unless_there(self, row: Table) -> bool:
        """Keep a new row; False, and nothing happens, when a unique guarantee says that somebody else was quicker."""
        try:
            with self._session.begin_nested():
                self.add(row)
        except IntegrityError:
            return False
        return True

    def flush(self) -> None:
        """Send what was changed, so that what is released is free before it is claimed anew."""
        self._session.flush()

    def get(self, table: type[T], row_id: UUID) -> T:
        """One row; NotFound when absent or in another territory."""
        found = self._session.scalars(sa.select(table).where(table.id == row_id, table.territory_id == self.territory_id)).one_or_none()
        if found is None:
            raise NotFound
        return found

    def page(self, table: type[T], after: UUID | None, limit: int, **equal: object) -> Sequence[T]:
        """Rows of this territory whose columns equal what is given, newest first, after a given row."""
        moment = _PAGE_ORDER[table]
        query = sa.select(table).where(table.territory_id == self.territory_id).filter_by(**equal)
        if after is not None:
            last = sa.select(moment, table.id).where(table.id == after, table.territory_id == self.territory_id)
            if self._session.execute(last).one_or_none() is None:
                raise NotFound
            query = query.where(sa.tuple_(moment, table.id) < last.scalar_subquery())
        return self._session.scalars(query.order_by(moment.desc(), table.id.desc()).limit(limit)).all()

    # People

    def active_volunteers(self) -> Sequence[Volunteer]:
        """Those who may be asked."""
        query = sa.select(Volunteer).where(Volunteer.territory_id == self.territory_id, Volunteer.active).order_by(Volunteer.id)
        return self._session.scalars(query).all()

    def availabilities(self, start: datetime, end: datetime) -> Sequence[Availability]:
        """Spans that begin in [start, end), in order."""
        query = (
            sa.select(Availability)
            .where(Availability.territory_id == self.territory_id, Availability.starts_at >= start, Availability.starts_at < end)
            .order_by(Availability.volunteer_id, Availability.starts_at)
        )
        return self._session.scalars(query).all()

    def overlapping(self, volunteer_id: UUID, start: datetime, end: datetime) -> bool:
        """Whether the volunteer already gave a span that overlaps."""
        query = sa.select(Availability.id).where(
            Availability.territory_id == self.territory_id,
            Availability.volunteer_id == volunteer_id,
            Availability.starts_at < end,
            Availability.ends_at > start,
        )
        return self._session.scalars(query.limit(1)).one_or_none() is not None

    def beneficiaries(self, ids: Iterable[UUID]) -> dict[UUID, Beneficiary]:
        """By id."""
        query = sa.select(Beneficiary).where(Beneficiary.territory_id == self.territory_id, Beneficiary.id.in_(list(ids)))
        return {row.id: row for row in self._session.scalars(query)}

    def refusals(self) -> Sequence[Refusal]:
        """Pairs that do not ride together."""
        return self._session.scalars(sa.select(Refusal).where(Refusal.territory_id == self.territory_id)).all()

    def past_rides(self, start: datetime, end: datetime) -> Sequence[tuple[UUID, UUID]]:
        """(volunteer, beneficiary) of every leg agreed on with a pickup in [start, end)."""
        query = (
            sa.select(Assignment.volunteer_id, TripRequest.beneficiary_id)
            .join(Leg, Leg.id == Assignment.leg_id)
            .join(TripRequest, TripRequest.id == Leg.request_id)
            .where(
                Assignment.territory_id == self.territory_id,
                Assignment.active,
                Leg.state.in_(["confirmed", "completed"]),
                Assignment.pickup_at >= start,
                Assignment.pickup_at < end,
            )
        )
        return [(volunteer, beneficiary) for volunteer, beneficiary in self._session.execute(query)]

    # Trips

    def requests_of_day(self, day: date) -> Sequence[TripRequest]:
        """Requests that are still wanted, in the order they came."""
        query = (
            sa.select(TripRequest)
            .where(TripRequest.territory_id == self.territory_id, TripRequest.service_date == day, TripRequest.state == "submitted")
            .order_by(TripRequest.created_at, TripRequest.id)
        )
        return self._session.scalars(query).all()

    def requests(self, ids: Iterable[UUID]) -> dict[UUID, TripRequest]:
        """By id."""
        query = sa.select(TripRequest).where(TripRequest.territory_id == self.territory_id, TripRequest.id.in_(list(ids)))
        return {row.id: row for row in self._session.scalars(query)}

    def similar_request(self, wanted: TripRequest) -> bool:
        """Whether the same person already has a live request at the same moment."""
        query = sa.select(TripRequest.id).where(
            TripRequest.territory_id == self.territory_id,
            TripRequest.beneficiary_id == wanted.beneficiary_id,
            TripRequest.state == "submitted",
            _moment() == (wanted.arrive_by or wanted.depart_after),
        )
        return self._session.scalars(query.limit(1)).one_or_none() is not None

    def legs_of(self, request_ids: Iterable[UUID]) -> dict[UUID, list[Leg]]:
        """Legs by request, outbound first; fresh from the database."""
        query = (
            sa.select(Leg)
            .where(Leg.territory_id == self.territory_id, Leg.request_id.in_(list(request_ids)))
            .order_by(Leg.direction)
            .execution_options(populate_existing=True)
        )
        found: dict[UUID, list[Leg]] = {}
        for leg in self._session.scalars(query):
            found.setdefault(leg.request_id, []).append(leg)
        return found

    def active_assignments(self, leg_ids: Iterable[UUID]) -> dict[UUID, Assignment]:
        """By leg."""
        query = sa.select(Assignment).where(
            Assignment.territory_id == self.territory_id, Assignment.active, Assignment.leg_id.in_(list(leg_ids))
        )
        return {row.leg_id: row for row in self._session.scalars(query)}

    def told(self, sent: Iterable[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID, UUID], Assignment]:
        """By (leg, volunteer, round): what was planned when the volunteers were asked, active or not."""
        pairs = list(sent)
        volunteers, rounds = ({pair[k] for pair in pairs} for k in (0, 1))
        query = sa.select(Assignment).where(
            Assignment.territory_id == self.territory_id, Assignment.volunteer_id.in_(volunteers), Assignment.round_id.in_(rounds)
        )
        return {(row.leg_id, row.volunteer_id, row.round_id): row for row in self._session.scalars(query)}

    def last_unserved(self, leg_ids: Iterable[UUID]) -> dict[UUID, UnservedLeg]:
        """Why nobody was found, by leg, as the last round that looked has it."""
        query = (
            sa.select(UnservedLeg)
            .join(Round, Round.id == UnservedLeg.round_id)
            .where(UnservedLeg.territory_id == self.territory_id, UnservedLeg.leg_id.in_(list(leg_ids)))
            .order_by(Round.queued_at)
        )
        return {row.leg_id: row for row in self._session.scalars(query)}

    # Offers and rounds

    def offers_of(self, request_ids: Iterable[UUID], *states: str) -> Sequence[Offer]:
        """Offers about some requests, oldest first."""
        query = (
            sa.select(Offer)
            .where(Offer.territory_id == self.territory_id, Offer.request_id.in_(list(request_ids)), Offer.state.in_(states))
            .order_by(Offer.sent_at, Offer.id)
        )
        return self._session.scalars(query).all()

    def offer_legs(self, offer_ids: Iterable[UUID]) -> dict[UUID, list[OfferLeg]]:
        """Which legs an offer is about, by offer."""
        query = sa.select(OfferLeg).where(OfferLeg.territory_id == self.territory_id, OfferLeg.offer_id.in_(list(offer_ids)))
        found: dict[UUID, list[OfferLeg]] = {}
        for row in self._session.scalars(query):
            found.setdefault(row.offer_id, []).append(row)
        return found

    def queued_round(self, day: date) -> Round | None:
        """The round of a day that waits to be run."""
        query = sa.select(Round).where(Round.territory_id == self.territory_id, Round.service_date == day, Round.state == "queued")
        return self._session.scalars(query).one_or_none()

    def unserved_of(self, round_id: UUID) -> Sequence[UnservedLeg]:
        """What a round found nobody for."""
        query = sa.select(UnservedLeg).where(UnservedLeg.territory_id == self.territory_id, UnservedLeg.round_id == round_id)
        return self._session.scalars(query.order_by(UnservedLeg.leg_id)).all()

    def delete(self, row: Any) -> None:
        """Forget a row."""
        self._session.delete(row)
        self._session.flush()


def _moment() -> sa.ColumnElement[datetime]:
    return sa.func.coalesce(TripRequest.arrive_by, TripRequest.depart_after, type_=TripRequest.arrive_by.type)

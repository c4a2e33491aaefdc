"""Queries about rounds and offers: what waits, what is being planned, who was asked."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from dispatch.errors import Conflict
from dispatch.storage.clocks import present, unix_now
from dispatch.storage.rows import Rows
from dispatch.storage.tables import (
    Leg,
    Offer,
    OfferLeg,
    Round,
    TripRequest,
    UnservedLeg,
)
from dispatch.world import World

OFTEN = 10  # times that a day's rounds may be overtaken by changes before it is left alone for a while


class RoundRows(Rows):
    """Rounds and offers of a territory."""

    def offers_of(self, request_ids: Iterable[UUID], *states: str) -> Sequence[Offer]:
        """Offers about some requests, oldest first."""
        query = (
            sa.select(Offer)
            .where(Offer.territory_id == self.territory_id, Offer.request_id.in_(list(request_ids)), Offer.state.in_(states))
            .order_by(Offer.sent_at, Offer.id)
        )
        return self.session.scalars(query).all()

    def offers_of_day(self, day: date, after: UUID | None, limit: int) -> Sequence[Offer]:
        """Offers about requests of a day, latest first, after a given one."""
        query = (
            sa.select(Offer)
            .join(TripRequest, TripRequest.id == Offer.request_id)
            .where(Offer.territory_id == self.territory_id, TripRequest.service_date == day)
        )
        return self._newest(query, Offer, Offer.sent_at, after, limit)

    def is_open(self, offer: Offer, world: World) -> bool:
        """Whether the offer may be accepted: sent, not lapsed by the database's clock. The row is ours until the transaction ends."""
        query = sa.select(Offer.id).where(Offer.id == offer.id, Offer.state == "sent", Offer.expires_at > present(world))
        return self.session.scalars(query.with_for_update()).one_or_none() is not None

    def bundle(self, bundle_id: UUID, *states: str) -> Sequence[Offer]:
        """Offers that were asked as one question, by the first of them; in the order in which they were asked."""
        of_it = sa.or_(Offer.bundle_id == bundle_id, Offer.id == bundle_id)
        query = sa.select(Offer).where(Offer.territory_id == self.territory_id, of_it)
        query = query.where(Offer.state.in_(states)) if states else query
        return self.session.scalars(query.order_by(Offer.id)).all()

    def open_offers(self, world: World) -> Sequence[Offer]:
        """Offers that may still be accepted, by the clock that `is_open` goes by."""
        query = sa.select(Offer).where(Offer.territory_id == self.territory_id, Offer.state == "sent", Offer.expires_at > present(world))
        return self.session.scalars(query.order_by(Offer.id)).all()

    def offer_legs(self, offer_ids: Iterable[UUID]) -> dict[UUID, list[OfferLeg]]:
        """Which legs an offer is about, by offer."""
        query = sa.select(OfferLeg).where(OfferLeg.territory_id == self.territory_id, OfferLeg.offer_id.in_(list(offer_ids)))
        found: dict[UUID, list[OfferLeg]] = {}
        for row in self.session.scalars(query):
            found.setdefault(row.offer_id, []).append(row)
        return found

    def overdue_offers(self, world: World) -> Sequence[Offer]:
        """Offers that nobody answered in time, by the clock that `is_open` goes by."""
        query = sa.select(Offer).where(Offer.territory_id == self.territory_id, Offer.state == "sent", Offer.expires_at <= present(world))
        return self.session.scalars(query.order_by(Offer.id)).all()

    def queued_round(self, day: date) -> Round | None:
        """The round of a day that waits to be run."""
        query = sa.select(Round).where(Round.territory_id == self.territory_id, Round.service_date == day, Round.state == "queued")
        return self.session.scalars(query).one_or_none()

    def newest_plan(self, day: date) -> dict[str, Any] | None:
        """Of a day, as the round that was saved last has it."""
        query = sa.select(Round.plan).where(
            Round.territory_id == self.territory_id, Round.service_date == day, Round.state == "done", Round.plan.is_not(None)
        )
        return self.session.scalars(query.order_by(Round.finished_at.desc()).limit(1)).one_or_none()

    def newest_round(self, day: date) -> Round | None:
        """The round of a day that was asked for last."""
        query = sa.select(Round).where(Round.territory_id == self.territory_id, Round.service_date == day)
        return self.session.scalars(query.order_by(Round.queued_at.desc(), Round.id.desc()).limit(1)).one_or_none()

    def slot_taken(self, day: date, slot: datetime) -> bool:
        """Whether a round of a day was asked for at this time of the timetable."""
        query = sa.select(Round.id).where(Round.territory_id == self.territory_id, Round.service_date == day, Round.slot == slot)
        return self.session.scalars(query).one_or_none() is not None

    def unserved_of(self, round_id: UUID) -> Sequence[UnservedLeg]:
        """What a round found nobody for."""
        query = sa.select(UnservedLeg).where(UnservedLeg.territory_id == self.territory_id, UnservedLeg.round_id == round_id)
        return self.session.scalars(query.order_by(UnservedLeg.leg_id)).all()

    def waiting_days(self, first: date, failed_since: datetime) -> set[date]:
        """Days, from a first one on, of legs that wait, but for days whose round failed of late, or was overtaken again and again.

        Legs whose time has passed meanwhile are among them: their round puts them on the list of those whom nobody drives.
        """
        of_late = sa.select(Round.id).where(
            Round.territory_id == self.territory_id,
            Round.service_date == TripRequest.service_date,
            Round.state == "failed",
            Round.finished_at > failed_since,
        )
        overtaken = of_late.where(Round.failure == "overtaken").with_only_columns(sa.func.count())
        query = (
            sa.select(TripRequest.service_date)
            .join(Leg, Leg.request_id == TripRequest.id)
            .where(
                TripRequest.territory_id == self.territory_id,
                Leg.state == "pending",
                TripRequest.state == "accepted",
                TripRequest.service_date >= first,
                ~of_late.where(Round.failure != "overtaken").exists(),
                overtaken.correlate(TripRequest).scalar_subquery() < OFTEN,
            )
            .distinct()
        )
        return set(self.session.scalars(query))

    def rounds_to_run(self) -> Sequence[UUID]:
        """Rounds that wait, and those whose worker has not been heard of for its lease; first come first served."""
        lost = sa.and_(Round.state == "running", Round.lease_until < unix_now())
        other = aliased(Round)
        busy = sa.exists().where(
            other.territory_id == Round.territory_id, other.service_date == Round.service_date, other.state == "running"
        )
        free = sa.and_(Round.state == "queued", ~busy)  # one round of a day at a time
        query = sa.select(Round.id).where(Round.territory_id == self.territory_id, sa.or_(free, lost))
        return self.session.scalars(query.order_by(Round.queued_at, Round.id)).all()

    def claim_round(self, round_id: UUID, lease_s: float) -> Round:
        """Take a round that waits or whose worker is lost, with a new token. Conflict when somebody else has it."""
        lost = sa.and_(Round.state == "running", Round.lease_until < unix_now())
        claim = (
            sa.update(Round)
            .where(Round.id == round_id, Round.territory_id == self.territory_id, sa.or_(Round.state == "queued", lost))
            .values(token=Round.token + 1, attempts=Round.attempts + 1, lease_until=unix_now() + lease_s)
            .returning(Round)
        )
        found = self.session.scalars(claim, execution_options={"populate_existing": True}).one_or_none()
        if found is None:
            self.get(Round, round_id)
            raise Conflict("Another worker has this round.")
        return found

    def hold_round(self, round_id: UUID, token: int, lease_s: float) -> Round:
        """Go on holding a round; the row is ours until the transaction ends. Conflict when the token is not the newest any more."""
        hold = (
            sa.update(Round)
            .where(Round.id == round_id, Round.territory_id == self.territory_id, Round.state == "running", Round.token == token)
            .values(lease_until=unix_now() + lease_s)
            .returning(Round)
        )
        found = self.session.scalars(hold, execution_options={"populate_existing": True}).one_or_none()
        if found is None:
            raise Conflict("Another worker has taken this round over.")
        return found

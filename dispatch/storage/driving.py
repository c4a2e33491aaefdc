"""Tables and queries of the day as it is driven: the stops of runs, taps on the way, and what volunteers were last told of their day.

Stops are written by planners with their plan; taps and publications by services.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, aliased, mapped_column

from dispatch.model.driving import TAPS
from dispatch.model.lifecycle import ACTIVE_RUN, UNDER_WAY
from dispatch.storage.base import OfTerritory, Table, one_of, within
from dispatch.storage.geometry import GeoPoint, LonLat
from dispatch.storage.rows import Rows
from dispatch.storage.tables import Assignment, Leg, Run, TripRequest


class RunStop(OfTerritory, Table):
    """One place of a run, as the newest plan has it."""

    __tablename__ = "run_stop"
    __table_args__ = (
        *within("run_id", "leg_id"),
        one_of("kind", ("home", "position", "aboard", "pickup", "dropoff")),
        sa.UniqueConstraint("run_id", "number"),
        sa.CheckConstraint("(leg_id IS NULL) = (kind IN ('home', 'position'))", name="people_ride_between_pickup_and_dropoff"),
    )
    run_id: Mapped[UUID]
    number: Mapped[int]  # from 0, in the order of driving
    kind: Mapped[str] = mapped_column(sa.String(10))
    leg_id: Mapped[UUID | None]
    place: Mapped[LonLat] = mapped_column(GeoPoint())
    arrive_at: Mapped[datetime]
    depart_at: Mapped[datetime]
    metres: Mapped[int]  # driven since the stop before


class Tap(OfTerritory, Table):
    """What somebody said about a way while it was driven, with the time it was said for. Kept whether or not it changed anything.

    Its id is the phone's own: sent again after a lost answer, it is the same tap.
    """

    __tablename__ = "tap"
    __table_args__ = (*within("leg_id"), one_of("state", TAPS), sa.Index(None, "leg_id", "at"))
    leg_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(sa.String(20))
    at: Mapped[datetime]
    noted_at: Mapped[datetime]


class RunPosition(OfTerritory, Table):
    """Where the volunteer of a run was last, as the phone said; gone with the end of the run: the database sees to it."""

    __tablename__ = "run_position"
    __table_args__ = (
        *within("run_id"),
        sa.UniqueConstraint("run_id"),
        sa.CheckConstraint("(number IS NULL) = (reaches_at IS NULL)", name="reaches_a_stop"),
    )
    run_id: Mapped[UUID]
    place: Mapped[LonLat] = mapped_column(GeoPoint())
    accuracy_m: Mapped[int]
    at: Mapped[datetime]
    number: Mapped[int | None]  # of the stop that comes next, and
    reaches_at: Mapped[datetime | None]  # when the car is there by road


class Publication(OfTerritory, Table):
    """What a volunteer was last told of a day: grows by one whenever that changes."""

    __tablename__ = "publication"
    __table_args__ = (*within("volunteer_id"), sa.UniqueConstraint("volunteer_id", "service_date"))
    volunteer_id: Mapped[UUID]
    service_date: Mapped[date]
    version: Mapped[int]
    digest: Mapped[str] = mapped_column(sa.String(64))  # of whom to fetch when; empty: nobody any more
    published_at: Mapped[datetime]


class ToldRide(OfTerritory, Table):
    """What a person was last told about a way: who comes, and when."""

    __tablename__ = "told_ride"
    __table_args__ = (*within("leg_id", "volunteer_id"), sa.UniqueConstraint("leg_id"))
    leg_id: Mapped[UUID]
    volunteer_id: Mapped[UUID]
    told_pickup_at: Mapped[datetime]
    version: Mapped[int]


class DrivingRows(Rows):
    """The day of a territory."""

    def replace_stops(self, run_ids: Iterable[UUID], stops: Sequence[RunStop]) -> None:
        """Stops of some runs, anew."""
        old = sa.delete(RunStop).where(RunStop.territory_id == self.territory_id, RunStop.run_id.in_(list(run_ids)))
        self.session.execute(old)
        self.add(*stops)

    def stops_at(self, person_id: UUID) -> Sequence[RunStop]:
        """Where a beneficiary was fetched and brought, or where a volunteer set out from."""
        rider = sa.select(Leg.id).join(TripRequest, TripRequest.id == Leg.request_id).where(TripRequest.beneficiary_id == person_id)
        driver = sa.select(Run.id).where(Run.volunteer_id == person_id)
        query = sa.select(RunStop).where(
            RunStop.territory_id == self.territory_id,
            sa.or_(RunStop.leg_id.in_(rider), sa.and_(RunStop.leg_id.is_(None), RunStop.run_id.in_(driver))),
        )
        return self.session.scalars(query).all()

    def stops_of(self, run_ids: Iterable[UUID]) -> dict[UUID, list[RunStop]]:
        """By run, in the order of driving."""
        query = sa.select(RunStop).where(RunStop.territory_id == self.territory_id, RunStop.run_id.in_(list(run_ids)))
        found: dict[UUID, list[RunStop]] = {}
        for row in self.session.scalars(query.order_by(RunStop.run_id, RunStop.number)):
            found.setdefault(row.run_id, []).append(row)
        return found

    def orders_of(self, run_ids: Iterable[UUID]) -> dict[UUID, list[tuple[UUID, str]]]:
        """By run, who is taken aboard or let out (`kind`) one after the other: stops without their places and times."""
        query = sa.select(RunStop.run_id, RunStop.leg_id, RunStop.kind).where(
            RunStop.territory_id == self.territory_id, RunStop.run_id.in_(list(run_ids))
        )
        found: dict[UUID, list[tuple[UUID, str]]] = {}
        for run_id, leg_id, kind in self.session.execute(query.order_by(RunStop.run_id, RunStop.number)):
            if leg_id is not None:
                found.setdefault(run_id, []).append((leg_id, kind))
        return found

    def tap(self, tap_id: UUID) -> Tap | None:
        """If it has come before."""
        query = sa.select(Tap).where(Tap.territory_id == self.territory_id, Tap.id == tap_id)
        return self.session.scalars(query).one_or_none()

    def taps_of(self, leg_ids: Iterable[UUID]) -> dict[UUID, list[Tap]]:
        """By leg, in the order they were said for."""
        query = sa.select(Tap).where(Tap.territory_id == self.territory_id, Tap.leg_id.in_(list(leg_ids)))
        found: dict[UUID, list[Tap]] = {}
        for row in self.session.scalars(query.order_by(Tap.at, Tap.noted_at, Tap.id)):
            found.setdefault(row.leg_id, []).append(row)
        return found

    def lock_run(self, run_id: UUID) -> Run:
        """As it is now, and ours until the transaction ends."""
        query = sa.select(Run).where(Run.territory_id == self.territory_id, Run.id == run_id).with_for_update()
        return self.session.scalars(query, execution_options={"populate_existing": True}).one()

    def positions_of(self, run_ids: Iterable[UUID]) -> dict[UUID, RunPosition]:
        """By run, of those that share it."""
        query = sa.select(RunPosition).where(RunPosition.territory_id == self.territory_id, RunPosition.run_id.in_(list(run_ids)))
        return {row.run_id: row for row in self.session.scalars(query)}

    def forget_positions(self, before: datetime) -> None:
        """Of runs that nobody has ended."""
        old = sa.delete(RunPosition).where(RunPosition.territory_id == self.territory_id, RunPosition.at < before)
        self.session.execute(old)

    def runs_of_day(self, day: date, volunteer_ids: Iterable[UUID] | None = None) -> Sequence[Run]:
        """Runs that take, or took, somebody's time on a day: everybody's, or of some."""
        query = sa.select(Run).where(Run.territory_id == self.territory_id, Run.service_date == day, Run.state != "cancelled")
        if volunteer_ids is not None:
            query = query.where(Run.volunteer_id.in_(list(volunteer_ids)))
        return self.session.scalars(query.order_by(Run.starts_at, Run.id)).all()

    def metres_of_day(self, day: date) -> tuple[int, int]:
        """What the runs of a day drive, and how much of it with nobody in the car on the way to a stop."""
        step = sa.case((RunStop.kind.in_(("pickup", "aboard")), 1), (RunStop.kind == "dropoff", -1), else_=0)
        aboard = sa.func.sum(step).over(partition_by=RunStop.run_id, order_by=RunStop.number, rows=(None, -1))
        driven = (
            sa.select(RunStop.metres, sa.func.coalesce(aboard, 0).label("aboard"))
            .join(Run, Run.id == RunStop.run_id)
            .where(Run.territory_id == self.territory_id, Run.service_date == day, Run.state != "cancelled")
            .subquery()
        )
        total = sa.func.coalesce(sa.func.sum(driven.c.metres), 0)
        empty = sa.func.coalesce(sa.func.sum(driven.c.metres).filter(driven.c.aboard == 0), 0)
        metres, alone = self.session.execute(sa.select(total, empty)).one()
        return int(metres), int(alone)

    def rides_of(self, run_ids: Iterable[UUID]) -> dict[UUID, list[tuple[Assignment, Leg]]]:
        """Who rides in some runs, by run, in the order of pickups."""
        query = (
            sa.select(Assignment, Leg)
            .join(Leg, Leg.id == Assignment.leg_id)
            .where(Assignment.territory_id == self.territory_id, Assignment.active, Assignment.run_id.in_(list(run_ids)))
            .order_by(Assignment.pickup_at, Assignment.id)
            .execution_options(populate_existing=True)
        )
        found: dict[UUID, list[tuple[Assignment, Leg]]] = {}
        for assignment, leg in self.session.execute(query):
            found.setdefault(assignment.run_id, []).append((assignment, leg))
        return found

    def publications(self, day: date) -> dict[UUID, Publication]:
        """By volunteer."""
        query = sa.select(Publication).where(Publication.territory_id == self.territory_id, Publication.service_date == day)
        return {row.volunteer_id: row for row in self.session.scalars(query)}

    def told_rides(self, leg_ids: Iterable[UUID]) -> dict[UUID, ToldRide]:
        """By leg."""
        query = sa.select(ToldRide).where(ToldRide.territory_id == self.territory_id, ToldRide.leg_id.in_(list(leg_ids)))
        return {row.leg_id: row for row in self.session.scalars(query)}

    def days_with_runs(self, first: date, last: date) -> set[date]:
        """Days on which somebody's time is taken."""
        query = sa.select(Run.service_date).where(
            Run.territory_id == self.territory_id, Run.state.in_(ACTIVE_RUN), Run.service_date.between(first, last)
        )
        told = sa.select(Publication.service_date).where(
            Publication.territory_id == self.territory_id, Publication.service_date.between(first, last), Publication.digest != ""
        )
        return {*self.session.scalars(query.distinct()), *self.session.scalars(told.distinct())}

    def legs_to_look_at(self, first: date, last: date, now: datetime) -> Sequence[tuple[Leg, TripRequest]]:
        """Every way of the accepted requests of some days of which a way may need somebody: nobody was found for it, it is a way back whose
        way there was driven, it is to be sent, it waits for a call, or its pickup is past. In order of day and request."""
        there, pickup = aliased(Leg), Assignment.told_pickup_at < now
        taken = sa.exists().where(
            there.request_id == TripRequest.id, there.direction == "outbound", there.state.in_(("on_board", "completed"))
        )
        due = sa.exists().where(Assignment.territory_id == self.territory_id, Assignment.leg_id == Leg.id, Assignment.active, pickup)
        asks = (
            sa.select(Leg.request_id)
            .join(TripRequest, TripRequest.id == Leg.request_id)
            .where(
                TripRequest.territory_id == self.territory_id,
                TripRequest.state == "accepted",
                TripRequest.service_date.between(first, last),
                sa.or_(
                    Leg.state.in_(("standby", "proposed", "on_call")),
                    sa.and_(Leg.state == "pending", Leg.direction == "return", taken),
                    sa.and_(Leg.state.in_(("confirmed", *UNDER_WAY)), due),
                ),
            )
        )
        query = (
            sa.select(Leg, TripRequest)
            .join(TripRequest, TripRequest.id == Leg.request_id)
            .where(TripRequest.territory_id == self.territory_id, TripRequest.id.in_(asks))
            .order_by(TripRequest.service_date, TripRequest.id, Leg.direction)
        )
        return [(leg, request) for leg, request in self.session.execute(query)]

"""Queries about what people asked for, who drives it, and in which run."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa

from dispatch.model.lifecycle import ACTIVE_RUN, WANTED_REQUEST
from dispatch.storage.rows import Rows
from dispatch.storage.tables import (
    Assignment,
    Leg,
    Round,
    Run,
    TripRequest,
    UnmetNeed,
    UnservedLeg,
)


class WayName(NamedTuple):
    """Which way of which request, and how it stands."""

    id: UUID
    request_id: UUID
    direction: str
    state: str


class Ride(NamedTuple):
    """Who drives a way and when, as people were told, and in which run."""

    leg_id: UUID
    volunteer_id: UUID
    told_pickup_at: datetime
    run_id: UUID
    run_state: str
    run_starts_at: datetime


class TripRows(Rows):
    """Requests, legs, assignments and runs of a territory."""

    def requests_of_day(self, day: date) -> Sequence[TripRequest]:
        """Requests to be planned, in the order they came."""
        query = (
            sa.select(TripRequest)
            .where(TripRequest.territory_id == self.territory_id, TripRequest.service_date == day, TripRequest.state == "accepted")
            .order_by(TripRequest.created_at, TripRequest.id)
        )
        return self.session.scalars(query).all()

    def ways_of_day(self, day: date, leg_ids: Iterable[UUID] | None = None) -> Sequence[tuple[Leg, TripRequest]]:
        """Every way of a day, or those of some legs that are of it, whatever has become of it, but for requests that were refused."""
        query = (
            sa.select(Leg, TripRequest)
            .join(TripRequest, TripRequest.id == Leg.request_id)
            .where(TripRequest.territory_id == self.territory_id, TripRequest.service_date == day, TripRequest.state != "refused")
        )
        query = query if leg_ids is None else query.where(Leg.id.in_(list(leg_ids)))
        return [(leg, request) for leg, request in self.session.execute(query)]

    def states_of_day(self, day: date) -> dict[str, int]:
        """How many of those ways are in which state."""
        query = (
            sa.select(Leg.state, sa.func.count())
            .join(TripRequest, TripRequest.id == Leg.request_id)
            .where(TripRequest.territory_id == self.territory_id, TripRequest.service_date == day, TripRequest.state != "refused")
            .group_by(Leg.state)
        )
        return dict(self.session.execute(query).all())

    def hours_of_day(self, day: date) -> list[datetime]:
        """The first and the last moment that something is asked for or driven on a day; nothing of an empty one."""
        asked = (TripRequest.territory_id == self.territory_id, TripRequest.service_date == day, TripRequest.state != "refused")
        driven = (Run.territory_id == self.territory_id, Run.service_date == day, Run.state != "cancelled")
        least, most, there, back = sa.func.min, sa.func.max, moment_of_trip(), TripRequest.return_after
        wanted = sa.select(least(there), most(there), least(back), most(back)).where(*asked)
        taken = sa.select(least(Run.starts_at), most(Run.ends_at)).where(*driven)
        found = [moment for query in (wanted, taken) for moment in self.session.execute(query).one() if moment is not None]
        return [min(found), max(found)] if found else []

    def drivers_ever(self, leg_ids: Iterable[UUID]) -> set[UUID]:
        """Volunteers who drive, or were to drive, some legs."""
        query = sa.select(Assignment.volunteer_id).where(Assignment.territory_id == self.territory_id, Assignment.leg_id.in_(list(leg_ids)))
        return set(self.session.scalars(query.distinct()))

    def drivers_of_runs(self, run_ids: Iterable[UUID]) -> set[UUID]:
        """Whose runs these are, or were."""
        query = sa.select(Run.volunteer_id).where(Run.territory_id == self.territory_id, Run.id.in_(list(run_ids)))
        return set(self.session.scalars(query))

    def undecided(self, limit: int) -> Sequence[TripRequest]:
        """Requests that a coordinator has to look at, the nearest day first."""
        query = sa.select(TripRequest).where(TripRequest.territory_id == self.territory_id, TripRequest.state == "submitted")
        return self.session.scalars(query.order_by(TripRequest.service_date, TripRequest.id).limit(limit)).all()

    def requests(self, ids: Iterable[UUID]) -> dict[UUID, TripRequest]:
        """By id."""
        query = sa.select(TripRequest).where(TripRequest.territory_id == self.territory_id, TripRequest.id.in_(list(ids)))
        return {row.id: row for row in self.session.scalars(query)}

    def requests_of_person(self, beneficiary_id: UUID, day: date) -> Sequence[TripRequest]:
        """What somebody still wants on a day."""
        query = sa.select(TripRequest).where(
            TripRequest.territory_id == self.territory_id,
            TripRequest.beneficiary_id == beneficiary_id,
            TripRequest.state.in_(WANTED_REQUEST),
            TripRequest.service_date == day,
        )
        return self.session.scalars(query).all()

    def legs_in_want(self, until: datetime) -> Sequence[tuple[Leg, TripRequest]]:
        """Ways nobody drives and nobody is asked about, of accepted requests, whose moment is before `until`; ways back of unknown time
        count from the end of their day's ride there."""
        moment = sa.case((Leg.direction == "return", sa.func.coalesce(TripRequest.return_after, moment_of_trip())), else_=moment_of_trip())
        query = (
            sa.select(Leg, TripRequest)
            .join(TripRequest, TripRequest.id == Leg.request_id)
            .where(
                Leg.territory_id == self.territory_id,
                Leg.state.in_(("pending", "standby", "proposed")),
                TripRequest.state == "accepted",
                sa.type_coerce(moment, TripRequest.arrive_by.type) < until,
            )
            .order_by(TripRequest.id, Leg.direction)
        )
        return [(leg, request) for leg, request in self.session.execute(query)]

    def unsolved_needs(self, beneficiary_id: UUID) -> Sequence[UnmetNeed]:
        """What a person asked for in vain and has not been given since."""
        query = (
            sa.select(UnmetNeed)
            .join(Leg, Leg.id == UnmetNeed.leg_id)
            .join(TripRequest, TripRequest.id == Leg.request_id)
            .where(UnmetNeed.territory_id == self.territory_id, UnmetNeed.solved_by.is_(None), TripRequest.beneficiary_id == beneficiary_id)
        )
        return self.session.scalars(query).all()

    def legs_of(self, request_ids: Iterable[UUID], *, lock: bool = False) -> dict[UUID, list[Leg]]:
        """Legs by request, outbound first; fresh from the database.

        `lock`: nobody else changes them until the transaction ends. Whoever changes legs and offers locks the legs first, so that two who
        want the same wait in a line and not in a circle.
        """
        query = (
            sa.select(Leg)
            .where(Leg.territory_id == self.territory_id, Leg.request_id.in_(list(request_ids)))
            .order_by(Leg.request_id, Leg.direction)
            .execution_options(populate_existing=True)
        )
        found: dict[UUID, list[Leg]] = {}
        for leg in self.session.scalars(query.with_for_update() if lock else query):
            found.setdefault(leg.request_id, []).append(leg)
        return found

    def way_names(self, request_ids: Iterable[UUID]) -> list[WayName]:
        """The ways of some requests, fresh from the database: for whoever looks at many of them and changes none."""
        query = sa.select(Leg.id, Leg.request_id, Leg.direction, Leg.state).where(
            Leg.territory_id == self.territory_id, Leg.request_id.in_(list(request_ids))
        )
        return [WayName(*row) for row in self.session.execute(query.order_by(Leg.request_id, Leg.direction))]

    def active_assignments(self, leg_ids: Iterable[UUID]) -> dict[UUID, Assignment]:
        """By leg."""
        if not (wanted := list(leg_ids)):
            return {}
        query = sa.select(Assignment).where(Assignment.territory_id == self.territory_id, Assignment.active, Assignment.leg_id.in_(wanted))
        return {row.leg_id: row for row in self.session.scalars(query)}

    def told(self, sent: Iterable[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID, UUID], Assignment]:
        """By (leg, volunteer, round): what was planned when the volunteers were asked, active or not."""
        pairs = list(sent)
        volunteers, rounds = ({pair[k] for pair in pairs} for k in (0, 1))
        query = sa.select(Assignment).where(
            Assignment.territory_id == self.territory_id, Assignment.volunteer_id.in_(volunteers), Assignment.round_id.in_(rounds)
        )
        return {(row.leg_id, row.volunteer_id, row.round_id): row for row in self.session.scalars(query)}

    def last_unserved(self, leg_ids: Iterable[UUID]) -> dict[UUID, UnservedLeg]:
        """Why nobody was found, by leg, as the last round that looked has it."""
        turn = sa.func.row_number().over(partition_by=UnservedLeg.leg_id, order_by=(Round.queued_at.desc(), Round.id.desc()))
        looked = (
            sa.select(UnservedLeg.id, turn.label("turn"))
            .join(Round, Round.id == UnservedLeg.round_id)
            .where(UnservedLeg.territory_id == self.territory_id, UnservedLeg.leg_id.in_(list(leg_ids)))
            .subquery()
        )
        query = sa.select(UnservedLeg).join(looked, looked.c.id == UnservedLeg.id).where(looked.c.turn == 1)
        return {row.leg_id: row for row in self.session.scalars(query)}

    def assignments_of_day(self, day: date) -> Sequence[tuple[Assignment, Run]]:
        """Every active assignment of a day with its run."""
        query = (
            sa.select(Assignment, Run)
            .join(Run, Run.id == Assignment.run_id)
            .where(Assignment.territory_id == self.territory_id, Assignment.active, Run.service_date == day)
            .order_by(Assignment.pickup_at, Assignment.id)
        )
        return [(assignment, run) for assignment, run in self.session.execute(query)]

    def rides_of_day(self, day: date) -> list[Ride]:
        """Every active assignment of a day, as far as it says who drives what when."""
        columns = Assignment.leg_id, Assignment.volunteer_id, Assignment.told_pickup_at, Run.id, Run.state, Run.starts_at
        query = (
            sa.select(*columns)
            .join(Run, Run.id == Assignment.run_id)
            .where(Assignment.territory_id == self.territory_id, Assignment.active, Run.service_date == day)
        )
        return [Ride(*row) for row in self.session.execute(query.order_by(Assignment.pickup_at, Assignment.id))]

    def active_runs(self, day: date) -> dict[UUID, list[Run]]:
        """Runs that take a volunteer's time on a day, by volunteer."""
        query = sa.select(Run).where(Run.territory_id == self.territory_id, Run.service_date == day, Run.state.in_(ACTIVE_RUN))
        found: dict[UUID, list[Run]] = {}
        for run in self.session.scalars(query.order_by(Run.starts_at)):
            found.setdefault(run.volunteer_id, []).append(run)
        return found

    def empty_runs(self, run_ids: Iterable[UUID]) -> Sequence[Run]:
        """Those of some runs that nobody rides in any more."""
        used = sa.select(Assignment.id).where(Assignment.run_id == Run.id, Assignment.active)
        query = sa.select(Run).where(
            Run.territory_id == self.territory_id, Run.id.in_(list(run_ids)), Run.state.in_(("planned", "published"))
        )
        return self.session.scalars(query.where(~used.exists())).all()


def moment_of_trip() -> sa.ColumnElement[datetime]:
    return sa.func.coalesce(TripRequest.arrive_by, TripRequest.depart_after, type_=TripRequest.arrive_by.type)

"""Queries about volunteers' lives: engagement, papers, hours, absences, what they drive and have driven."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm.attributes import set_committed_value

from dispatch.model.lifecycle import UNDER_WAY
from dispatch.storage.clocks import present
from dispatch.storage.people import PeopleRows
from dispatch.storage.tables import Assignment, Availability, Leg, Offer, OfferLeg, Refusal, Round, Run, Tie, TripRequest, Volunteer
from dispatch.storage.vault import vault_of
from dispatch.storage.volunteer_tables import Absence, Credential, CredentialFile, Engagement, WeeklyHours
from dispatch.world import World

AHEAD = ("proposed", "offered", "confirmed", *UNDER_WAY)


class VolunteerRows(PeopleRows):
    """Volunteers of a territory, beyond their files."""

    def wait_for_plans(self, volunteer: Volunteer, first: date) -> None:
        """From here to the end of the transaction no plan of a day from `first` on is saved, and nobody else changes this volunteer.

        Rounds lock their own row first, and then what they change: whoever takes rides away does it in the same order.
        """
        running = sa.select(Round.id).where(Round.territory_id == self.territory_id, Round.state == "running", Round.service_date >= first)
        self.session.execute(running.order_by(Round.id).with_for_update()).all()
        if self.session.get_bind().dialect.name == "postgresql":  # as whoever claims this volunteer's time does (0002)
            self.session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(str(volunteer.id), 0))))
        query = sa.select(Volunteer).where(Volunteer.id == volunteer.id, Volunteer.territory_id == self.territory_id)
        self.session.scalars(query.with_for_update(key_share=True), execution_options={"populate_existing": True}).one()

    def reread(self, volunteer: Volunteer) -> None:
        """As the database has it, after something was undone."""
        self.session.refresh(volunteer)

    def present(self, world: World) -> datetime:
        """By the database's clock."""
        return self.session.scalars(sa.select(present(world))).one()

    # Engagement

    def engagement(self, volunteer_id: UUID) -> Engagement:
        """Of one volunteer."""
        return self.session.get_one(Engagement, volunteer_id)

    def engagements(self) -> dict[UUID, str]:
        """How far each volunteer is with us."""
        query = sa.select(Engagement).where(Engagement.territory_id == self.territory_id)
        return {row.id: row.state for row in self.session.scalars(query)}

    def engage(self, volunteer: Volunteer, after: str, world: World, reason: str | None = None) -> Engagement:
        """One step of an engagement; the database brings `active` in step."""
        row = self.engagement(volunteer.id)
        self.move(row, after, world, reason)
        for name, value in {"active": after == "active", "engagement": after}.items():
            set_committed_value(volunteer, name, value)
        return row

    # Hours

    def weekly_hours(self, volunteer_id: UUID) -> Sequence[WeeklyHours]:
        """All of a volunteer, Monday first."""
        query = sa.select(WeeklyHours).where(WeeklyHours.territory_id == self.territory_id, WeeklyHours.volunteer_id == volunteer_id)
        return self.session.scalars(query.order_by(WeeklyHours.weekday, WeeklyHours.starts, WeeklyHours.valid_from, WeeklyHours.id)).all()

    def clear_weekly_hours(self, volunteer_id: UUID) -> None:
        """To be written anew."""
        mine = (WeeklyHours.territory_id == self.territory_id, WeeklyHours.volunteer_id == volunteer_id)
        self.session.execute(sa.delete(WeeklyHours).where(*mine))

    def weekly_hours_on(self, day: date, of: Collection[UUID] | None = None) -> Sequence[WeeklyHours]:
        """Hours of this weekday that are valid on a day; whether it is their week is not looked at."""
        query = sa.select(WeeklyHours).where(
            WeeklyHours.territory_id == self.territory_id,
            WeeklyHours.weekday == day.isoweekday(),
            WeeklyHours.valid_from <= day,
            sa.or_(WeeklyHours.valid_until.is_(None), WeeklyHours.valid_until >= day),
        )
        return self.session.scalars(query if of is None else query.where(WeeklyHours.volunteer_id.in_(of))).all()

    def absences_in(self, start: datetime, end: datetime, of: Collection[UUID] | None = None) -> Sequence[Absence]:
        """Those that touch [start, end)."""
        query = sa.select(Absence).where(Absence.territory_id == self.territory_id, Absence.starts_at < end, Absence.ends_at > start)
        return self.session.scalars(query if of is None else query.where(Absence.volunteer_id.in_(of))).all()

    def absences_of(self, volunteer_id: UUID) -> Sequence[Absence]:
        """All of a volunteer, latest first."""
        query = sa.select(Absence).where(Absence.territory_id == self.territory_id, Absence.volunteer_id == volunteer_id)
        return self.session.scalars(query.order_by(Absence.starts_at.desc(), Absence.id)).all()

    def remove(self, row: Absence | Availability | CredentialFile) -> None:
        """Take a row away."""
        self.session.delete(row)
        self.session.flush()

    # Papers

    def credentials_of(self, volunteer_id: UUID, *states: str) -> Sequence[Credential]:
        """Papers of a volunteer in some states, or all, newest first."""
        query = sa.select(Credential).where(Credential.territory_id == self.territory_id, Credential.volunteer_id == volunteer_id)
        if states:
            query = query.where(Credential.state.in_(states))
        return self.session.scalars(query.order_by(Credential.created_at.desc(), Credential.id.desc())).all()

    def valid_credentials(self, kinds: Iterable[str], of: Collection[UUID] | None = None) -> Sequence[Credential]:
        """Valid papers of some kinds."""
        query = sa.select(Credential).where(
            Credential.territory_id == self.territory_id, Credential.state == "valid", Credential.kind.in_(list(kinds))
        )
        return self.session.scalars(query if of is None else query.where(Credential.volunteer_id.in_(of))).all()

    def credentials_ending(self, until: date) -> Sequence[Credential]:
        """Valid papers that end until a day, first those that end first."""
        query = sa.select(Credential).where(
            Credential.territory_id == self.territory_id, Credential.state == "valid", Credential.expires_on <= until
        )
        return self.session.scalars(query.order_by(Credential.expires_on, Credential.id)).all()

    def credential_file(self, credential_id: UUID) -> CredentialFile | None:
        """Of a paper, sealed."""
        query = sa.select(CredentialFile).where(
            CredentialFile.territory_id == self.territory_id, CredentialFile.credential_id == credential_id
        )
        return self.session.scalars(query).one_or_none()

    def with_files(self, credential_ids: Iterable[UUID]) -> set[UUID]:
        """Those of some papers that have a file."""
        query = sa.select(CredentialFile.credential_id).where(
            CredentialFile.territory_id == self.territory_id, CredentialFile.credential_id.in_(list(credential_ids))
        )
        return set(self.session.scalars(query))

    def seal_file(self, person_id: UUID, data: bytes) -> bytes:
        """With the person's key: it is lost with it."""
        return vault_of(self.session).seal_bytes(person_id, self._key_of(person_id), data)

    def open_file(self, person_id: UUID, sealed: bytes) -> bytes:
        """What was sealed."""
        return vault_of(self.session).open_bytes(person_id, self._key_of(person_id), sealed)

    # Rides

    def rides_ahead(self, volunteer_id: UUID, now: datetime) -> Sequence[tuple[Assignment, Leg, TripRequest, Run]]:
        """What a volunteer is planned or asked to drive, or has agreed to, from now on, in order of time."""
        query = (
            sa.select(Assignment, Leg, TripRequest, Run)
            .join(Leg, Leg.id == Assignment.leg_id)
            .join(TripRequest, TripRequest.id == Leg.request_id)
            .join(Run, Run.id == Assignment.run_id)
            .where(
                Assignment.territory_id == self.territory_id,
                Assignment.volunteer_id == volunteer_id,
                Assignment.active,
                Assignment.dropoff_at > now,
                Leg.state.in_(AHEAD),
            )
            .order_by(Assignment.pickup_at, Leg.id)
        )
        return [(ride, leg, request, run) for ride, leg, request, run in self.session.execute(query)]

    def open_offers_about(self, leg_ids: Collection[UUID]) -> Sequence[tuple[Offer, UUID]]:
        """Sent and accepted offers that some legs are in, with the leg."""
        query = (
            sa.select(Offer, OfferLeg.leg_id)
            .join(OfferLeg, OfferLeg.offer_id == Offer.id)
            .where(Offer.territory_id == self.territory_id, OfferLeg.open, OfferLeg.leg_id.in_(list(leg_ids)))
            .order_by(Offer.sent_at, Offer.id)
        )
        return [(offer, leg_id) for offer, leg_id in self.session.execute(query)]

    def driven_between(self, first: date, last: date, volunteer_ids: Collection[UUID] | None = None) -> Sequence[tuple[Run, int]]:
        """Runs of days from `first` to `last` that somebody rides in, with how many rides they hold."""
        query = (
            sa.select(Run, sa.func.count(Assignment.id))
            .join(Assignment, sa.and_(Assignment.run_id == Run.id, Assignment.active))
            .where(Run.territory_id == self.territory_id, Run.service_date.between(first, last), Run.state != "cancelled")
            .group_by(Run.id)
        )
        if volunteer_ids is not None:
            query = query.where(Run.volunteer_id.in_(list(volunteer_ids)))
        return [(run, int(rides)) for run, rides in self.session.execute(query)]

    def offers_answered(self, volunteer_id: UUID, since: datetime) -> dict[str, int]:
        """How many offers were sent since, by what became of them."""
        query = sa.select(Offer.state, sa.func.count()).where(
            Offer.territory_id == self.territory_id, Offer.volunteer_id == volunteer_id, Offer.sent_at >= since
        )
        return {state: int(count) for state, count in self.session.execute(query.group_by(Offer.state))}

    # Pairs

    def refused_by(self, beneficiary_id: UUID) -> Sequence[UUID]:
        """By which volunteers a person is not driven."""
        query = sa.select(Refusal.volunteer_id).where(Refusal.territory_id == self.territory_id, Refusal.beneficiary_id == beneficiary_id)
        return self.session.scalars(query.order_by(Refusal.volunteer_id)).all()

    def refusals_of(self, volunteer_id: UUID) -> Sequence[UUID]:
        """Whom a volunteer does not drive."""
        query = sa.select(Refusal.beneficiary_id).where(Refusal.territory_id == self.territory_id, Refusal.volunteer_id == volunteer_id)
        return self.session.scalars(query.order_by(Refusal.beneficiary_id)).all()

    def untie(self, volunteer_id: UUID, beneficiary_id: UUID) -> bool:
        """Nothing speaks for this pair any more; False when nothing did."""
        pair = (Tie.volunteer_id == volunteer_id, Tie.beneficiary_id == beneficiary_id)
        done = self.session.execute(sa.delete(Tie).where(Tie.territory_id == self.territory_id, *pair))
        return int(done.rowcount) == 1  # type: ignore[attr-defined]

    def lift_refusal(self, volunteer_id: UUID, beneficiary_id: UUID) -> bool:
        """These two may ride together; False when nobody said that they do not."""
        pair = (Refusal.volunteer_id == volunteer_id, Refusal.beneficiary_id == beneficiary_id)
        done = self.session.execute(sa.delete(Refusal).where(Refusal.territory_id == self.territory_id, *pair))
        return int(done.rowcount) == 1  # type: ignore[attr-defined]

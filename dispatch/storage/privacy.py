"""Queries about all that is kept of one person, and of people nobody has driven for long. For erasure, retention and copies."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa

from dispatch.storage.eligibility_tables import Eligibility
from dispatch.storage.rows import Rows
from dispatch.storage.tables import (
    ApiKey,
    Assignment,
    Availability,
    Beneficiary,
    Consent,
    Offer,
    Person,
    PersonKey,
    Refusal,
    Reply,
    Round,
    Run,
    Tie,
    TripRequest,
    Volunteer,
)
from dispatch.storage.volunteer_tables import Absence, Credential, WeeklyHours


class PrivacyRows(Rows):
    """What points to a person."""

    def requests_for(self, beneficiary_id: UUID) -> Sequence[TripRequest]:
        """Every request of a person, latest day first."""
        query = sa.select(TripRequest).where(TripRequest.territory_id == self.territory_id, TripRequest.beneficiary_id == beneficiary_id)
        return self.session.scalars(query.order_by(TripRequest.service_date.desc(), TripRequest.id)).all()

    def offers_to(self, volunteer_id: UUID) -> Sequence[Offer]:
        """Every question to a volunteer, newest first."""
        query = sa.select(Offer).where(Offer.territory_id == self.territory_id, Offer.volunteer_id == volunteer_id)
        return self.session.scalars(query.order_by(Offer.sent_at.desc(), Offer.id)).all()

    def runs_of(self, volunteer_id: UUID) -> Sequence[Run]:
        """Every run of a volunteer, latest first."""
        query = sa.select(Run).where(Run.territory_id == self.territory_id, Run.volunteer_id == volunteer_id)
        return self.session.scalars(query.order_by(Run.starts_at.desc(), Run.id)).all()

    def availabilities_of(self, volunteer_id: UUID) -> Sequence[Availability]:
        """Every span a volunteer gave, latest first."""
        query = sa.select(Availability).where(Availability.territory_id == self.territory_id, Availability.volunteer_id == volunteer_id)
        return self.session.scalars(query.order_by(Availability.starts_at.desc(), Availability.id)).all()

    def planned_rounds(self, days: Iterable[date], volunteer_id: UUID | None = None) -> Sequence[Round]:
        """Rounds of some days, or whose plan names a volunteer, that have a plan, saved or rejected.

        Nobody saves one meanwhile: whoever does afterwards finds the transaction's end.
        """
        about = [Round.state == "running", Round.service_date.in_(set(days))]
        if volunteer_id is not None:
            about.append(sa.cast(Round.plan, sa.Text).contains(str(volunteer_id)))
        query = sa.select(Round).where(Round.territory_id == self.territory_id, sa.or_(*about))
        found = self.session.scalars(query.order_by(Round.id).with_for_update(), execution_options={"populate_existing": True})
        return [row for row in found if row.plan is not None]

    def erased(self, person_ids: Iterable[UUID]) -> set[UUID]:
        """Those of some people who were erased."""
        wanted, found = list(person_ids), set[UUID]()
        for table in (Beneficiary, Volunteer):
            query = sa.select(table.id).where(table.territory_id == self.territory_id, table.id.in_(wanted), table.erased_at.is_not(None))
            found |= set(self.session.scalars(query))
        return found

    def forget_traces(self, person_id: UUID, now: datetime) -> None:
        """Refusals, ties, consents, eligibility, hours and papers go, keys end, and what was answered lately about them is emptied."""
        for table, column in (
            (Refusal, Refusal.volunteer_id),
            (Refusal, Refusal.beneficiary_id),
            (Tie, Tie.volunteer_id),
            (Tie, Tie.beneficiary_id),
            (Eligibility, Eligibility.id),
            (Consent, Consent.beneficiary_id),
            (Availability, Availability.volunteer_id),
            (WeeklyHours, WeeklyHours.volunteer_id),
            (Absence, Absence.volunteer_id),
            (Credential, Credential.volunteer_id),  # and with them their files
        ):
            self.session.execute(sa.delete(table).where(table.territory_id == self.territory_id, column == person_id))
        keys = sa.update(ApiKey).where(ApiKey.territory_id == self.territory_id, ApiKey.holder_id == person_id, ApiKey.revoked_at.is_(None))
        self.session.execute(keys.values(revoked_at=now))
        about = Reply.body.contains(str(person_id))
        self.session.execute(sa.update(Reply).where(Reply.territory_id == self.territory_id, about).values(body=""))

    def unfinished_erasures(self) -> Sequence[UUID]:
        """People without a key whose data are here all the same: a backup has been restored."""
        query = (
            sa.select(PersonKey.person_id)
            .join(Person, Person.id == PersonKey.person_id)
            .where(PersonKey.territory_id == self.territory_id, PersonKey.wrapped.is_(None), Person.sealed.is_not(None))
        )
        return self.session.scalars(query.order_by(PersonKey.person_id)).all()

    def long_unseen(self, since: datetime) -> Sequence[UUID]:
        """People filed before a moment who have neither asked, nor driven, nor said when they are free since."""
        day = since.date()
        asked = sa.exists().where(TripRequest.beneficiary_id == Beneficiary.id, TripRequest.service_date >= day)
        free = sa.exists().where(Availability.volunteer_id == Volunteer.id, Availability.ends_at >= since)
        driven = sa.exists().where(Assignment.volunteer_id == Volunteer.id, Assignment.dropoff_at >= since)
        found: list[UUID] = []
        for table, seen in ((Beneficiary, asked), (Volunteer, sa.or_(free, driven))):
            query = sa.select(table.id).where(
                table.territory_id == self.territory_id, table.erased_at.is_(None), table.created_at < since, ~seen
            )
            found += self.session.scalars(query.order_by(table.id))
        return found

    def file_of(self, person_id: UUID) -> Beneficiary | Volunteer:
        """The file of a person, erased or not."""
        return self.session.get(Beneficiary, person_id) or self.session.get_one(Volunteer, person_id)

"""The rights of people over what is kept of them: a copy of all of it, and erasure."""

import datetime as dt
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from api.auth import CallerOf, own_beneficiary, own_volunteer
from api.deps import PartsOf
from api.schemas import AvailabilityOut, BeneficiaryOut, OfferOut, RunOut, TripOut, VolunteerOut
from api.schemas_eligibility import EligibilityOut
from api.series_schemas import SeriesOut
from api.versions import IfMatch, check_version
from api.volunteer_schemas import AbsenceOut, CredentialOut, HoursOut, VolunteerCopy
from dispatch.model.intake import RowId
from dispatch.service.offers import show_offers
from dispatch.service.privacy import erase_person
from dispatch.service.trips import show_trips
from dispatch.storage.tables import Beneficiary, Volunteer

router = APIRouter()


class ConsentOut(BaseModel):
    """That a person agreed to the data being given by somebody else."""

    model_config = ConfigDict(from_attributes=True)

    wording: str = Field(examples=["referral-1"])
    noted_at: dt.datetime
    noted_by: UUID | None = Field(description="The account or key that says so.")


class BeneficiaryCopy(BaseModel):
    """All that is kept about a person."""

    person: BeneficiaryOut
    requests: list[TripOut]
    series: list[SeriesOut]
    prefers: list[UUID] = Field(description="Volunteers.")
    eligibility: EligibilityOut | None
    consents: list[ConsentOut]


@router.get("/beneficiaries/{beneficiary_id}/copy", tags=["beneficiaries"])
def copy_beneficiary(beneficiary_id: RowId, caller: CallerOf, parts: PartsOf) -> BeneficiaryCopy:
    """Everything that is kept about a person, to be handed over on request (GDPR, article 15); a referrer gets what it entered."""
    with parts.reading(caller.territory_id) as store:
        row = own_beneficiary(caller, store.get(Beneficiary, beneficiary_id))
        requests = [request for request in store.requests_for(row.id) if not caller.is_referrer or request.entered_by == caller.actor_id]
        series = [one for one in store.series_of(row.id) if not caller.is_referrer or one.entered_by == caller.actor_id]
        terms = None if caller.is_referrer else store.eligibility(row.id)
        consents = [one for one in store.consents_of(row.id) if not caller.is_referrer or one.noted_by == caller.actor_id]
        found = BeneficiaryCopy(
            person=BeneficiaryOut.of(row, store.identity(row.id)),
            requests=[TripOut.of(view) for view in show_trips(store, requests)],
            series=[SeriesOut.of(one) for one in series],
            eligibility=None if terms is None else EligibilityOut.model_validate(terms),
            prefers=[] if caller.is_referrer else [tie.volunteer_id for tie in store.ties(beneficiary_id=row.id) if tie.preferred],
            consents=[ConsentOut.model_validate(one) for one in consents],
        )
    parts.note_read(caller, "beneficiary", row.id, act="copied")
    return found


@router.delete("/beneficiaries/{beneficiary_id}", status_code=204, tags=["beneficiaries"])
def erase_beneficiary(beneficiary_id: RowId, caller: CallerOf, parts: PartsOf, if_match: IfMatch = None) -> Response:
    """Erase a person for good (GDPR, article 17): the file, the name in every backup, the places of every ride. Counts and times stay."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        row = own_beneficiary(caller, store.get(Beneficiary, beneficiary_id))
        check_version(if_match, row.version)
        erase_person(store, row, parts.world)
    return Response(status_code=204)


@router.get("/volunteers/{volunteer_id}/copy", tags=["volunteers"])
def copy_volunteer(volunteer_id: RowId, caller: CallerOf, parts: PartsOf) -> VolunteerCopy:
    """Everything that is kept about a volunteer, to be handed over on request (GDPR, article 15); passengers stay unnamed."""
    with parts.reading(caller.territory_id) as store:
        row = store.get(Volunteer, own_volunteer(caller, volunteer_id))
        papers = store.credentials_of(row.id)
        pictured = store.with_files(paper.id for paper in papers)
        found = VolunteerCopy(
            person=VolunteerOut.of(row, store.identity(row.id)),
            weekly_hours=[HoursOut.model_validate(hours) for hours in store.weekly_hours(row.id)],
            absences=[AbsenceOut.model_validate(absence) for absence in store.absences_of(row.id)],
            papers=[CredentialOut.of(paper, has_file=paper.id in pictured) for paper in papers],
            availability=[AvailabilityOut.model_validate(span) for span in store.availabilities_of(row.id)],
            offers=[OfferOut.of(view, full=False) for view in show_offers(store, store.offers_to(row.id))],
            runs=[RunOut.model_validate(run) for run in store.runs_of(row.id)],
            knows_well=[tie.beneficiary_id for tie in store.ties(volunteer_id=row.id) if tie.known],
        )
    parts.note_read(caller, "volunteer", row.id, act="copied")
    return found


@router.delete("/volunteers/{volunteer_id}", status_code=204, tags=["volunteers"])
def erase_volunteer(volunteer_id: RowId, caller: CallerOf, parts: PartsOf, if_match: IfMatch = None) -> Response:
    """Erase a volunteer for good (GDPR, article 17). Rides to come go back to planning; counts and times stay."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        row = store.get(Volunteer, volunteer_id)
        check_version(if_match, row.version)
        erase_person(store, row, parts.world)
    return Response(status_code=204)

"""Volunteers' lives: steps from application to farewell, weekly hours, absences, whom they do not drive, what they gave.

Whatever takes rides away tells which, and with `dry_run` what it would take away, without doing it.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.auth import CallerOf, own_volunteer
from api.deps import Parts, PartsOf
from api.once import OnceOf
from api.schemas import Page, PageOf, page_of
from api.versions import IfMatch, check_version, show_version
from api.volunteer_schemas import AbsenceOut, EngagementOut, HoursOut, LedgerOut, LimitsOut, RefusalsOut, TieOut, TiesOut, Touching, WeekOut
from dispatch.errors import NotFound
from dispatch.model.intake import Limits, RowId
from dispatch.model.volunteering import NewAbsence, NewTie, NextStep, WeeklyGrid
from dispatch.service import engagements
from dispatch.service.availability import remove_hours
from dispatch.service.people import tie_pair as note_tie
from dispatch.storage.store import Store
from dispatch.storage.tables import Availability, Beneficiary, Volunteer
from dispatch.storage.volunteer_tables import Absence

router = APIRouter(prefix="/volunteers/{volunteer_id}", tags=["volunteers"])
people_router = APIRouter(prefix="/beneficiaries/{beneficiary_id}", tags=["beneficiaries"])


class DryRun(BaseModel):
    """Whether it is meant."""

    model_config = ConfigDict(extra="forbid")

    dry_run: bool = Field(False, description="Change nothing; tell which rides it would take away.")


DryRunOf = Annotated[DryRun, Query()]


@router.post("/engagement")
def step_engagement(volunteer_id: RowId, new: NextStep, caller: CallerOf, parts: PartsOf, query: DryRunOf) -> Touching[EngagementOut]:
    """The next step: vetting, active, suspended, left, refused. Only who is active is asked; rides ahead of others are open again."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        row = store.get(Volunteer, volunteer_id)
        touched = engagements.step_engagement(store, row, new.to, parts.world, dry_run=query.dry_run)
        return Touching.of(EngagementOut(volunteer_id=row.id, state=new.to), touched, dry_run=query.dry_run)


@router.get("/weekly-hours")
def get_weekly_hours(volunteer_id: RowId, caller: CallerOf, parts: PartsOf, response: Response) -> WeekOut:
    """When the volunteer is free every week; the ETag, which is that of the file, is needed to change it."""
    with parts.reading(caller.territory_id) as store:
        row = store.get(Volunteer, own_volunteer(caller, volunteer_id))
        show_version(response, row.version)
        found = [HoursOut.model_validate(hours) for hours in store.weekly_hours(row.id)]
    parts.note_read(caller, "volunteer", volunteer_id)
    return WeekOut(hours=found)


@router.put("/weekly-hours")
def change_weekly_hours(
    volunteer_id: RowId,
    new: WeeklyGrid,
    caller: CallerOf,
    parts: PartsOf,
    query: DryRunOf,
    response: Response,
    if_match: IfMatch = None,
) -> Touching[WeekOut]:
    """All weekly hours anew. Rides outside of them are open again."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        row = store.get(Volunteer, own_volunteer(caller, volunteer_id))
        check_version(if_match, row.version)
        hours, touched = engagements.change_weekly_hours(store, row, new, parts.world, dry_run=query.dry_run)
        if query.dry_run:
            return Touching.of(None, touched, dry_run=True)
        show_version(response, row.version)
        return Touching.of(WeekOut(hours=[HoursOut.model_validate(one) for one in hours]), touched, dry_run=False)


@router.put("/limits")
def change_limits(
    volunteer_id: RowId, new: Limits, caller: CallerOf, parts: PartsOf, query: DryRunOf, response: Response, if_match: IfMatch = None
) -> Touching[LimitsOut]:
    """How much and how far the volunteer drives, all of it anew, with the ETag of the file. Rides ahead beyond it are open again."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        row = store.get(Volunteer, own_volunteer(caller, volunteer_id))
        check_version(if_match, row.version)
        touched = engagements.change_limits(store, row, new, parts.world, dry_run=query.dry_run)
        if not query.dry_run:
            show_version(response, row.version)
        return Touching.of(LimitsOut.model_validate(row), touched, dry_run=query.dry_run)


@router.post("/absences", status_code=201, response_model=Touching[AbsenceOut])
def add_absence(volunteer_id: RowId, new: NewAbsence, caller: CallerOf, parts: PartsOf, query: DryRunOf, once: OnceOf) -> Response:
    """Days or hours without this volunteer. Rides in them are open again at once, and planned anew; a run under way is not broken (409)."""

    def create() -> Touching[AbsenceOut]:
        row = store.get(Volunteer, own_volunteer(caller, volunteer_id))
        made, touched = engagements.be_absent(store, row, new, parts.world, dry_run=query.dry_run)
        return Touching.of(None if query.dry_run else AbsenceOut.model_validate(made), touched, dry_run=query.dry_run)

    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return once.answer(store.session, 201, create)


@router.get("/absences")
def list_absences(volunteer_id: RowId, caller: CallerOf, parts: PartsOf, page: PageOf) -> Page[AbsenceOut]:
    """Latest first."""
    with parts.reading(caller.territory_id) as store:
        store.get(Volunteer, own_volunteer(caller, volunteer_id))
        rows = store.page(Absence, page.after, page.limit, volunteer_id=volunteer_id)
        found = [AbsenceOut.model_validate(row) for row in rows]
    parts.note_read(caller, "volunteer", volunteer_id)
    return page_of(rows, found, page)


@router.delete("/absences/{absence_id}", status_code=204)
def remove_absence(volunteer_id: RowId, absence_id: RowId, caller: CallerOf, parts: PartsOf) -> Response:
    """The volunteer is there after all. Rides that were given to others stay with them."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        store.get(Volunteer, own_volunteer(caller, volunteer_id))
        row = store.get(Absence, absence_id)
        if row.volunteer_id != volunteer_id:
            raise NotFound
        remove_hours(store, row, parts.world)
    return Response(status_code=204)


@router.delete("/availability/{availability_id}")
def remove_availability(volunteer_id: RowId, availability_id: RowId, caller: CallerOf, parts: PartsOf, query: DryRunOf) -> Touching[None]:
    """A span that was given is taken back. Rides in it are open again."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        volunteer = store.get(Volunteer, own_volunteer(caller, volunteer_id))
        row = store.get(Availability, availability_id)
        if row.volunteer_id != volunteer_id:
            raise NotFound
        touched = engagements.be_free_no_more(store, volunteer, row, parts.world, dry_run=query.dry_run)
        return Touching.of(None, touched, dry_run=query.dry_run)


@router.get("/refusals")
def get_refusals(volunteer_id: RowId, caller: CallerOf, parts: PartsOf) -> RefusalsOut:
    """Who is not put into one car with this volunteer."""
    with parts.reading(caller.territory_id) as store:
        row = store.get(Volunteer, volunteer_id)
        found = RefusalsOut(beneficiary_ids=list(store.refusals_of(row.id)))
    parts.note_read(caller, "volunteer", volunteer_id)
    return found


@router.put("/refusals/{beneficiary_id}")
def refuse_pair(volunteer_id: RowId, beneficiary_id: RowId, caller: CallerOf, parts: PartsOf, query: DryRunOf) -> Touching[None]:
    """These two are not put into one car any more, which of them asked is not kept. Rides they would have had are open again."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        row, person = store.get(Volunteer, volunteer_id), store.get(Beneficiary, beneficiary_id)
        touched = engagements.keep_apart(store, row, person.id, parts.world, dry_run=query.dry_run)
        if not query.dry_run:
            _note_pair(store, volunteer_id, beneficiary_id, parts)
        return Touching.of(None, touched, dry_run=query.dry_run)


@router.delete("/refusals/{beneficiary_id}", status_code=204)
def allow_pair(volunteer_id: RowId, beneficiary_id: RowId, caller: CallerOf, parts: PartsOf) -> Response:
    """They may ride together again."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        engagements.bring_together(store, volunteer_id, beneficiary_id)
        _note_pair(store, volunteer_id, beneficiary_id, parts)
    return Response(status_code=204)


@router.get("/ties")
def get_ties(volunteer_id: RowId, caller: CallerOf, parts: PartsOf) -> TiesOut:
    """Who would rather ride with this volunteer, and whom the volunteer knows well."""
    with parts.reading(caller.territory_id) as store:
        row = store.get(Volunteer, volunteer_id)
        found = TiesOut(items=[TieOut.model_validate(tie) for tie in store.ties(volunteer_id=row.id)])
    parts.note_read(caller, "volunteer", volunteer_id)
    return found


@router.put("/ties/{beneficiary_id}")
def tie_pair(volunteer_id: RowId, beneficiary_id: RowId, new: NewTie, caller: CallerOf, parts: PartsOf) -> TieOut:
    """The person prefers this volunteer, or the volunteer knows the person well: the next round has it in mind, what is agreed stays."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        found = TieOut.model_validate(note_tie(store, volunteer_id, beneficiary_id, new))
        _note_pair(store, volunteer_id, beneficiary_id, parts)
    return found


@router.delete("/ties/{beneficiary_id}", status_code=204)
def untie_pair(volunteer_id: RowId, beneficiary_id: RowId, caller: CallerOf, parts: PartsOf) -> Response:
    """Nothing speaks for this pair any more."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        engagements.take_apart(store, volunteer_id, beneficiary_id)
        _note_pair(store, volunteer_id, beneficiary_id, parts)
    return Response(status_code=204)


@people_router.get("/ties")
def get_ties_of_person(beneficiary_id: RowId, caller: CallerOf, parts: PartsOf) -> TiesOut:
    """By whom this person would rather be driven, and which volunteers know them well."""
    with parts.reading(caller.territory_id) as store:
        row = store.get(Beneficiary, beneficiary_id)
        found = TiesOut(items=[TieOut.model_validate(tie) for tie in store.ties(beneficiary_id=row.id)])
    parts.note_read(caller, "beneficiary", beneficiary_id)
    return found


@router.get("/ledger")
def get_ledger(volunteer_id: RowId, caller: CallerOf, parts: PartsOf) -> LedgerOut:
    """Rides, minutes, kilometres, offers and answers of the last four weeks."""
    with parts.reading(caller.territory_id) as store:
        row = store.get(Volunteer, own_volunteer(caller, volunteer_id))
        found = LedgerOut.model_validate(engagements.ledger_of(store, row, parts.world))
    parts.note_read(caller, "volunteer", volunteer_id)
    return found


def _note_pair(store: Store, volunteer_id: UUID, beneficiary_id: UUID, parts: Parts) -> None:
    """What was said of two people is a change of both files."""
    store.note_access("changed", "volunteer", volunteer_id, 1, parts.world)
    store.note_access("changed", "beneficiary", beneficiary_id, 1, parts.world)

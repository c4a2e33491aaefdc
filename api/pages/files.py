"""Files of people and volunteers, for those who coordinate: found by name, read, changed where a step is due; and the log of what happened.

Changes that take rides away say which before they are made: the API is asked with `dry_run` first (`files.js`).
"""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any, get_args
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict

from api.pages.hours import caps_of, week_of
from api.pages.regular import regular_rides
from api.pages.render import Said
from api.pages.visit import Visit, VisitOf
from api.schemas import BeneficiaryOut, VolunteerOut
from api.versions import etag
from dispatch.model.asking import PURPOSES
from dispatch.model.eligibility import ELIGIBILITY_KINDS, PROOFS
from dispatch.model.intake import ChangedVolunteer, NewBeneficiary, RowId
from dispatch.model.lifecycle import TABLE
from dispatch.model.needs import NEEDS
from dispatch.model.volunteering import RefusedPaper
from dispatch.rules.free_days import knows_school
from dispatch.service.credentials import missing_kinds
from dispatch.service.eligibility import standing_of
from dispatch.service.engagements import LEDGER, ledger_of
from dispatch.service.people import rules_of
from dispatch.storage.store import Store
from dispatch.storage.tables import Availability, Beneficiary, TripRequest, Volunteer

router = APIRouter(include_in_schema=False)
_NEWEST = 60
_RIDES = 30
_SPANS = 60
_LOG = 100


class LogPage(BaseModel):
    """Which part of the log."""

    model_config = ConfigDict(extra="ignore")

    after: RowId | None = None
    subject: RowId | None = None


@router.get("/people")
def show_people(visit: VisitOf) -> HTMLResponse:
    """Those who were filed last; everybody else by name."""
    with visit.reading() as store:
        territory, rows = store.territory(), store.page(Beneficiary, None, _NEWEST)
        who = store.identities([row.id for row in rows])
    visit.parts.note_read(visit.caller, "beneficiary", None, len(rows))
    return visit.page("files/people.html", territory, rows=rows, who=who, kind="beneficiary", at="/people")


@router.get("/people/{beneficiary_id}")
def show_person_file(beneficiary_id: RowId, visit: VisitOf) -> HTMLResponse:
    """Who it is, what is needed in the car, whether the person may ask, with which volunteers, and the rides."""
    with visit.reading() as store:
        territory, row = store.territory(), store.get(Beneficiary, beneficiary_id)
        rides = store.page(TripRequest, None, _RIDES, beneficiary_id=row.id)
        legs, who = store.legs_of([request.id for request in rides]), store.identity(row.id)
        standing = standing_of(store, row, visit.parts.world)
        ties, refused = store.ties(beneficiary_id=row.id), store.refused_by(row.id)
        consents = store.consents_of(row.id)
        said_by = store.identities([one.noted_by for one in consents if one.noted_by])
        active = [volunteer.id for volunteer in store.active_volunteers()]
        names = {one: found.name for one, found in store.identities({*active, *refused, *(tie.volunteer_id for tie in ties)}).items()}
        series = regular_rides(visit, store, row.id, visit.today(territory))
    visit.parts.note_read(visit.caller, "beneficiary", row.id)
    visit.parts.note_read(visit.caller, "volunteer", None, len(names))
    shown: dict[str, Any] = {
        "row": row,
        "who": who,
        "rides": rides,
        "legs": legs,
        "needs": visit.needs(row.needs),
        "place": visit.place(row.home),
        "consents": consents,
        "said_by": said_by,
        "version": etag(row.version),
        "whole": _whole(NewBeneficiary, BeneficiaryOut.of(row, who)) if who.name else "",
        "catalogue": _catalogue(visit),
        "series": series,
        "school": knows_school(rules_of(territory).holidays),
        "ties": ties,
        "refused": refused,
        "names": names,
        "standing": standing,
        "purposes": {code: labels[visit.language == "en"] for code, labels in PURPOSES.items()},
        "kinds": ELIGIBILITY_KINDS,
        "proofs": PROOFS,
        "volunteers": sorted(set(active) - set(refused), key=lambda one: names[one] or ""),
    }
    return visit.page("files/person.html", territory, **shown)


@router.get("/volunteers")
def show_volunteers(visit: VisitOf) -> HTMLResponse:
    """Every volunteer: how far they are with us, papers, what they gave in four weeks."""
    with visit.reading() as store:
        territory, rows = store.territory(), store.page(Volunteer, None, 1000)
        who = store.identities([row.id for row in rows])
        lines = _lines(store, rows, visit.today(territory))
    lines.sort(key=lambda line: who[line["row"].id].name or "")
    visit.parts.note_read(visit.caller, "volunteer", None, len(rows))
    return visit.page("files/volunteers.html", territory, lines=lines, who=who)


@router.get("/volunteers/{volunteer_id}")
def show_volunteer_file(volunteer_id: RowId, visit: VisitOf) -> HTMLResponse:
    """One volunteer: car, papers, hours, absences, what was given and asked."""
    with visit.reading() as store:
        territory, row = store.territory(), store.get(Volunteer, volunteer_id)
        kinds = rules_of(territory).credentials.kinds
        papers = list(store.credentials_of(row.id))
        refused, ties = store.identities(store.refusals_of(row.id)), store.ties(volunteer_id=row.id)
        engagement = store.engagement(row.id).state
        who, now, hours = store.identity(row.id), visit.parts.world.now(), store.weekly_hours(row.id)
        shown: dict[str, Any] = {
            "row": row,
            "who": who,
            "version": etag(row.version),
            "whole": _whole(ChangedVolunteer, VolunteerOut.of(row, who)) if who.name else "",
            "caps": caps_of(row, visit.language),
            "papers": papers,
            "kinds": {kind.code: kind.en if visit.language == "en" else kind.fr for kind in kinds},
            "missing": missing_kinds(store, row, visit.parts.world),
            "with_files": store.with_files([paper.id for paper in papers]),
            "hours": sorted(hours, key=lambda one: (one.weekday, one.starts)),
            **week_of(hours, Said(visit.language, territory.timezone)),
            "spans": [span for span in store.page(Availability, None, _SPANS, volunteer_id=row.id) if span.ends_at > now],
            "absences": [away for away in store.absences_of(row.id) if away.ends_at > now],
            "ledger": ledger_of(store, row, visit.parts.world),
            "engagement": engagement,
            "refused": refused,
            "ties": ties,
            "tied": store.identities([tie.beneficiary_id for tie in ties]),
        }
    visit.parts.note_read(visit.caller, "volunteer", row.id)
    steps = [step for step in ("vetting", "active", "suspended", "left", "refused") if step in TABLE["engagement"][engagement]]
    own = {"reasons": get_args(RefusedPaper.model_fields["reason"].annotation), "catalogue": _catalogue(visit)}
    shown |= own | {"accepts": visit.needs(row.accepts_needs), "place": visit.place(row.home)}
    return visit.page("files/volunteer.html", territory, steps=steps, **shown)


@router.get("/journal")
def show_journal(visit: VisitOf, query: Annotated[LogPage, Query()]) -> HTMLResponse:
    """What happened, newest first; nobody can rewrite it."""
    with visit.reading() as store:
        territory, events = store.territory(), store.log(query.after, _LOG, query.subject)
    return visit.page("files/journal.html", territory, events=events, subject=query.subject, more=len(events) == _LOG)


def _whole(model: type[BaseModel], file: BaseModel) -> str:
    """A file as it is written: whole, so that each form of a page sends what it does not show as it is."""
    return file.model_dump_json(include=set(model.model_fields))


def _catalogue(visit: Visit) -> dict[str, str]:
    return {need: words[visit.language == "en"] for need, words in NEEDS.items()}


def _lines(store: Store, rows: Sequence[Volunteer], today: dt.date) -> list[dict[str, Any]]:
    """What a list shows of each volunteer; four queries for all of them."""
    wanted = [kind.code for kind in rules_of(store.territory()).credentials.kinds if kind.required or kind.blocking]
    holds: dict[UUID, set[str]] = {}
    for paper in store.valid_credentials(wanted):
        if paper.expires_on is None or paper.expires_on > today:
            holds.setdefault(paper.volunteer_id, set()).add(paper.kind)
    rides: dict[UUID, int] = {}
    metres: dict[UUID, int] = {}
    for run, ridden in store.driven_between(today - LEDGER, today):
        rides[run.volunteer_id] = rides.get(run.volunteer_id, 0) + ridden
        metres[run.volunteer_id] = metres.get(run.volunteer_id, 0) + run.metres
    states = store.engagements()
    return [
        {
            "row": row,
            "engagement": states.get(row.id, "applied"),
            "missing": [code for code in wanted if code not in holds.get(row.id, set())],
            "rides": rides.get(row.id, 0),
            "km": round(metres.get(row.id, 0) / 1000),
        }
        for row in rows
    ]

"""Run sheets on paper: one run on each page, for those who drive with a sheet rather than a telephone.

In: a day, for who coordinates. Out: a page made for printing. Every name on it is put on record as copied.
"""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.pages.me import show_sheet
from api.pages.render import Said
from api.pages.visit import VisitOf
from dispatch.model.clock import ServiceDate
from dispatch.service.people import rules_of
from dispatch.service.volunteer_day import load_sheets

router = APIRouter(include_in_schema=False)


@router.get("/day/{date}/sheets")
def show_sheets(date: ServiceDate, visit: VisitOf) -> HTMLResponse:
    """Every run of a day that somebody has agreed to drive, by the time of leaving home."""
    with visit.reading() as store:
        territory = store.territory()
        say = Said(visit.language, territory.timezone)
        sheets = load_sheets(store, date, visit.parts.world)
        wait = rules_of(territory).driving.wait_minutes
        names = store.identities({sheet.run.volunteer_id for sheet in sheets})
        shown = [(names[sheet.run.volunteer_id].name or "…", show_sheet(sheet, say, visit.parts, wait)) for sheet in sheets]
        answer = visit.page("me/sheets.html", territory, sheets=shown, date=date)
    people = len({halt.rider.leg.id for sheet in sheets for halt in sheet.halts})
    visit.parts.note_read(visit.caller, "beneficiary", None, people, act="copied")
    visit.parts.note_read(visit.caller, "volunteer", None, len(names), act="copied")
    return answer

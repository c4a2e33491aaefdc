"""The day as it is driven: run sheets, taps on the way, publishing, and what needs a human."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.auth import CallerOf, own_volunteer
from api.deps import Parts, PartsOf
from api.schemas import Page, PageQuery, page_of
from api.schemas_day import AttentionOut, DayOut, EntryOut, LegStateOut, PositionOut, PublishedOut, RunSheetOut, SentOut
from dispatch.errors import NotFound
from dispatch.model.clock import ServiceDate
from dispatch.model.driving import NewPosition, NewTap
from dispatch.model.entrusting import Send
from dispatch.model.intake import RowId
from dispatch.service.attention import needs_a_human
from dispatch.service.day_view import view_day
from dispatch.service.keys import Caller
from dispatch.service.lateness import note_position
from dispatch.service.publishing import publish_day
from dispatch.service.run_sheet import RunView, show_runs
from dispatch.service.sending import send_day as send
from dispatch.service.status import note_tap
from dispatch.storage.store import Store
from dispatch.storage.tables import Leg, Run, Volunteer

router = APIRouter(tags=["the day"])
_PDF = {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}


class RunQuery(PageQuery):
    """Which runs."""

    date: ServiceDate | None = None


@router.get("/runs")
def list_runs(caller: CallerOf, parts: PartsOf, query: Annotated[RunQuery, Query()]) -> Page[RunSheetOut]:
    """Newest first; a volunteer sees his or her own."""
    where: dict[str, object] = {"volunteer_id": caller.holder_id} if caller.role == "driver" else {}
    if query.date:
        where["service_date"] = query.date
    with parts.reading(caller.territory_id) as store:
        rows = store.page(Run, query.after, query.limit, **where)
        views = show_runs(store, rows, parts.world.now())
        found = [RunSheetOut.of(view, staff=caller.is_staff) for view in views if caller.is_staff or _is_known(view)]
    parts.note_read(caller, "beneficiary", None, sum(len(view.riders) for view in views))
    return page_of(rows, found, query)


@router.get("/runs/{run_id}")
def get_run(run_id: RowId, caller: CallerOf, parts: PartsOf) -> RunSheetOut:
    """The run sheet: every step with its time and place, and who rides."""
    with parts.reading(caller.territory_id) as store:
        view = _run_of(store, run_id, caller, parts)
    parts.note_read(caller, "beneficiary", None, len(view.riders))
    return RunSheetOut.of(view, staff=caller.is_staff)


@router.get("/runs/{run_id}/sheet.pdf", response_class=Response, responses={200: {**_PDF, "description": "For paper."}})
def print_run(run_id: RowId, caller: CallerOf, parts: PartsOf) -> Response:
    """The run sheet as a PDF for who drives with paper, in the volunteer's language. Each name on it is on record as copied."""
    from api.pages.run_paper import write_run_paper

    with parts.reading(caller.territory_id) as store:
        view = _run_of(store, run_id, caller, parts)
        volunteer = store.get(Volunteer, view.run.volunteer_id)
        territory, name = store.territory(), store.identity(volunteer.id).name
    whole = caller.is_staff or view.phones
    paper = write_run_paper(view, territory, volunteer, name, parts.geocoder, parts.world.now(), whole=whole)
    parts.note_read(caller, "beneficiary", None, paper.people, act="copied")
    if caller.is_staff:
        parts.note_read(caller, "volunteer", volunteer.id, act="copied")
    return Response(paper.content, media_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{paper.file_name}"'})


def _run_of(store: Store, run_id: UUID, caller: Caller, parts: Parts) -> RunView:
    """A run that the caller may see; NotFound."""
    run = store.get(Run, run_id)
    own_volunteer(caller, run.volunteer_id)
    view = show_runs(store, [run], parts.world.now())[0]
    if not caller.is_staff and not _is_known(view):
        raise NotFound
    return view


def _is_known(view: RunView) -> bool:
    """A run that is planned, and about which its volunteer has not been asked, is nothing to him or her yet."""
    return bool(view.riders) or view.run.state != "planned"


@router.post("/runs/{run_id}/position")
def tell_position(run_id: RowId, new: NewPosition, caller: CallerOf, parts: PartsOf) -> PositionOut:
    """Where the volunteer is, if he or she shares it: only the last place is kept, and only until the run is over."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        run = store.get(Run, run_id)
        own_volunteer(caller, run.volunteer_id)
        return PositionOut.model_validate(note_position(store, run, new, parts.network, parts.world))


@router.post("/legs/{leg_id}/status")
def tap_status(leg_id: RowId, new: NewTap, caller: CallerOf, parts: PartsOf) -> LegStateOut:
    """How far a ride is. Taps may come late, twice and out of order: all are kept, and the ride only goes forward."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        leg = store.get(Leg, leg_id)
        if not caller.is_staff:
            held = store.active_assignments([leg.id]).get(leg.id)
            if held is None:
                raise NotFound
            own_volunteer(caller, held.volunteer_id)
        return LegStateOut.model_validate(note_tap(store, leg, new, parts.world, staff=caller.is_staff))


@router.get("/days/{date}")
def show_day(date: ServiceDate, caller: CallerOf, parts: PartsOf) -> DayOut:
    """Everything of a day: ways with their states, volunteers with their runs, counts, the newest round."""
    with parts.reading(caller.territory_id) as store:
        view = view_day(store, date)
        found = DayOut.of(view, store.newest_round(date))
    parts.note_read(caller, "beneficiary", None, len({way.beneficiary.id for way in view.ways}))
    return found


@router.post("/days/{date}/publish")
def publish_runs(date: ServiceDate, caller: CallerOf, parts: PartsOf) -> PublishedOut:
    """Tell volunteers of their day, now. Those to whom nothing changed hear nothing."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return PublishedOut(told=publish_day(store, date, parts.world))


@router.post("/days/{date}/send")
def send_day(date: ServiceDate, wish: Send, caller: CallerOf, parts: PartsOf) -> SentOut:
    """Ask volunteers about what rounds have planned, where the territory sends by hand: all of it, or some of the ways."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        sent = send(store, date, wish.proposals, parts.settings.offer_minutes, parts.world)
        return SentOut.of(sent)


@router.get("/attention")
def show_attention(caller: CallerOf, parts: PartsOf) -> AttentionOut:
    """What needs a human now, the most pressing first; at most 200."""
    with parts.reading(caller.territory_id) as store:
        return AttentionOut(items=[EntryOut.model_validate(entry) for entry in needs_a_human(store, parts.world)])

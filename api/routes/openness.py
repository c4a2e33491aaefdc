"""What others can go on with: a day and its plan in the exchange formats, and the service as GTFS-Flex."""

from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response

from api.auth import CallerOf
from api.deps import PartsOf
from dispatch.errors import NotFound
from dispatch.model.clock import ServiceDate
from dispatch.model.day import Day
from dispatch.model.plans import Plan
from dispatch.service.day import day_of
from dispatch.service.gtfs_flex import gtfs_flex
from routing.zone import service_zone

router = APIRouter(tags=["exchange"])
_ZIP = {200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}, "description": "GTFS with Flex."}}


@router.get("/days/{date}/day", response_model=Day)
def export_day(date: ServiceDate, caller: CallerOf, parts: PartsOf) -> Response:
    """The day as a round would plan it now (docs/day-format.md). Ids are those of this API; nobody is named."""
    with parts.reading(caller.territory_id) as store:
        day = day_of(store, date, parts.world.now())
    parts.note_read(caller, "beneficiary", None, len(day.requests), "copied")
    return Response(day.model_dump_json(exclude_defaults=False), media_type="application/json")


@router.get("/days/{date}/plan", response_model=Plan)
def export_plan(date: ServiceDate, caller: CallerOf, parts: PartsOf) -> Response:
    """The newest plan of a day (docs/plan-format.md); 404 when no round has planned it."""
    with parts.reading(caller.territory_id) as store:
        found = store.newest_plan(date)
    if found is None:
        raise NotFound
    plan = Plan.model_validate(found)
    parts.note_read(caller, "beneficiary", None, sum(len(run.legs) for run in plan.runs), "copied")
    return Response(plan.model_dump_json(), media_type="application/json")


@router.get("/gtfs-flex", response_class=Response, responses=_ZIP)  # type: ignore[arg-type] # FastAPI's own type is wider than it says
def export_gtfs_flex(caller: CallerOf, parts: PartsOf) -> Response:
    """The zone, the hours and the booking rules, for trip planners."""
    with parts.reading(caller.territory_id) as store:
        territory = store.territory()
        today = parts.world.now().astimezone(ZoneInfo(territory.timezone)).date()
        feed = gtfs_flex(territory, service_zone(parts.network), today, parts.settings.public_url or "https://example.org")
    return Response(feed, media_type="application/zip", headers={"Content-Disposition": 'attachment; filename="gtfs-flex.zip"'})

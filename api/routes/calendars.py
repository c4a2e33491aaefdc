"""A volunteer's runs in the calendar of a telephone: a private feed that whoever has the link can read, and its renewal."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Request, Response

from api.auth import CallerOf, own_volunteer
from api.deps import PartsOf
from api.once import OnceOf
from api.told import CalendarMade
from dispatch.engine.throttle import CALENDARS, STRANGERS
from dispatch.errors import NotFound
from dispatch.model.intake import RowId
from dispatch.service.calendars import end_calendar_link as end_link
from dispatch.service.calendars import read_calendar, renew_calendar_link

router = APIRouter(prefix="/volunteers", tags=["calendars"])
open_router = APIRouter(prefix="/calendars", tags=["calendars"])
FileName = Annotated[str, Path(pattern=r"^[0-9a-f]{64}\.ics$", description="The secret, and .ics.")]
_ICS = {"content": {"text/calendar": {"schema": {"type": "string"}}}, "description": "RFC 5545."}


@router.post("/{volunteer_id}/calendar-link", status_code=201, response_model=CalendarMade)
def create_calendar_link(volunteer_id: RowId, caller: CallerOf, parts: PartsOf, once: OnceOf) -> Response:
    """A link for the volunteer's calendar; the one before opens nothing any more."""

    def create() -> CalendarMade:
        token = renew_calendar_link(store, own_volunteer(caller, volunteer_id), parts.world)
        store.note_access("changed", "volunteer", volunteer_id, 1, parts.world)
        return CalendarMade(path=f"/v1/calendars/{token}.ics")

    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return once.answer(store.session, 201, create, shown_once="path")


@router.delete("/{volunteer_id}/calendar-link", status_code=204)
def end_calendar_link(volunteer_id: RowId, caller: CallerOf, parts: PartsOf) -> Response:
    """The link opens nothing any more."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        end_link(store, own_volunteer(caller, volunteer_id))
        store.note_access("changed", "volunteer", volunteer_id, 1, parts.world)
    return Response(status_code=204)


@open_router.get("/{file_name}", response_class=Response, responses={200: _ICS, 304: {"description": "Nothing has changed."}})
def show_calendar(
    file_name: FileName, request: Request, parts: PartsOf, if_none_match: Annotated[str | None, Header(max_length=200)] = None
) -> Response:
    """Runs agreed on, thirty days back and ninety ahead: when, and how many people; nothing about whom or where."""
    try:
        feed = read_calendar(parts.database, file_name.removesuffix(".ics"), parts.world)
    except NotFound:
        parts.throttle.take(STRANGERS, "stranger", request.client.host if request.client else "")
        raise
    parts.throttle.take(CALENDARS, "calendar", file_name)
    etag = f'"{feed.etag}"'
    if if_none_match is not None and etag in (tag.strip().removeprefix("W/") for tag in if_none_match.split(",")):
        return Response(status_code=304, headers={"ETag": etag})
    return Response(feed.content, media_type="text/calendar; charset=utf-8", headers={"ETag": etag})

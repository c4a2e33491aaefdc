"""Series: rides that come again every week, written anew from a day on, ended, paused, and single dates skipped or moved.

Each answer says which rides were made, which could not be, and which stay because a volunteer has agreed to drive them.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.auth import CallerOf, own_beneficiary, own_series
from api.deps import PartsOf
from api.once import OnceOf
from api.schemas import Page, PageQuery, page_of
from api.series_schemas import SeriesDetail, SeriesOut, SeriesOutcome, dates_out
from api.versions import IfMatch, check_version, show_version
from dispatch.errors import BadInput, Fault, NotFound
from dispatch.model.intake import USUAL_PRIORITY, RowId
from dispatch.model.series import NewSeries, SeriesDays, SeriesEnd, SeriesMove
from dispatch.service.availability import local_today
from dispatch.service.keys import Caller
from dispatch.service.series import begin_series, end_series
from dispatch.service.series import change_series as write_anew
from dispatch.service.series_dates import move_date, skip_days, take_up
from dispatch.service.trips import Asker
from dispatch.storage.series_tables import RideSeries
from dispatch.storage.store import Store
from dispatch.storage.tables import Beneficiary

router = APIRouter(prefix="/series", tags=["series"])


class Promised(BaseModel):
    """What becomes of rides that a volunteer has agreed to drive."""

    model_config = ConfigDict(extra="forbid")

    also_promised: bool = Field(False, description="Cancel them too, and tell the volunteers; otherwise they stay and are listed.")


class SeriesQuery(PageQuery):
    """Which series."""

    beneficiary_id: RowId | None = None
    request_id: RowId | None = Field(None, description="The series that this request is a ride of.")


PromisedOf = Annotated[Promised, Query()]


@router.post("", status_code=201, response_model=SeriesOutcome)
def create_series(new: NewSeries, caller: CallerOf, parts: PartsOf, once: OnceOf) -> Response:
    """Ask for a ride that comes again. Its next rides are asked for at once, later ones some weeks ahead (`rules.booking.series_days`)."""

    def create() -> SeriesOutcome:
        asker = _asker(store, caller, new)
        return SeriesOutcome.of(store, begin_series(store, new, parts.network, parts.world, asker))

    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return once.answer(store.session, 201, create)


@router.get("")
def list_series(caller: CallerOf, parts: PartsOf, query: Annotated[SeriesQuery, Query()]) -> Page[SeriesOut]:
    """Newest first; referrers see what they entered, beneficiaries what is theirs."""
    where: dict[str, object] = {"beneficiary_id": query.beneficiary_id} if query.beneficiary_id else {}
    if caller.is_referrer:
        where["entered_by"] = caller.actor_id
    with parts.reading(caller.territory_id) as store:
        if query.request_id:
            where["id"] = store.series_of_request(query.request_id)
        if caller.role == "beneficiary":
            where["beneficiary_id"] = caller.holder_id
        rows = store.page(RideSeries, query.after, query.limit, **where)
        found = [SeriesOut.of(row) for row in rows]
    parts.note_read(caller, "beneficiary", None, len({row.beneficiary_id for row in rows}))
    return page_of(rows, found, query)


@router.get("/{series_id}")
def get_series(series_id: RowId, caller: CallerOf, parts: PartsOf, response: Response) -> SeriesDetail:
    """One series, with its dates from today on; the ETag is needed to write it anew."""
    with parts.reading(caller.territory_id) as store:
        row = own_series(caller, store.get(RideSeries, series_id))
        show_version(response, row.version)
        ahead = store.series_dates(row.id, local_today(store, parts.world.now()))
        found = SeriesDetail.of(row).model_copy(update={"dates": dates_out(store, ahead.values())})
    parts.note_read(caller, "beneficiary", found.beneficiary_id)
    return found


@router.put("/{series_id}")
def change_series(
    series_id: RowId, new: NewSeries, caller: CallerOf, parts: PartsOf, query: PromisedOf, response: Response, if_match: IfMatch = None
) -> SeriesOutcome:
    """« Celle-ci et toutes les suivantes »: another pattern from `first_day` on. Answered is the series that holds from there."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        row = _held(store, caller, series_id)
        check_version(if_match, row.version)
        asker = _asker(store, caller, new)
        outcome = write_anew(store, row, new, parts.network, parts.world, asker, also_promised=query.also_promised)
        show_version(response, outcome.series.version)
        return SeriesOutcome.of(store, outcome)


@router.post("/{series_id}/end")
def end_series_after(series_id: RowId, end: SeriesEnd, caller: CallerOf, parts: PartsOf, query: PromisedOf) -> SeriesOutcome:
    """No rides after a day."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        row = _held(store, caller, series_id)
        return SeriesOutcome.of(store, end_series(store, row, end.last_day, parts.world, also_promised=query.also_promised))


@router.post("/{series_id}/skip")
def skip_series_days(series_id: RowId, days: SeriesDays, caller: CallerOf, parts: PartsOf, query: PromisedOf) -> SeriesOutcome:
    """« Celle-ci seulement »: no ride on one date; or a pause."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        row = _held(store, caller, series_id)
        return SeriesOutcome.of(store, skip_days(store, row, days, parts.world, also_promised=query.also_promised))


@router.post("/{series_id}/resume")
def resume_series_days(series_id: RowId, days: SeriesDays, caller: CallerOf, parts: PartsOf) -> SeriesOutcome:
    """Dates that were skipped have their ride again: the pause ends earlier."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return SeriesOutcome.of(store, take_up(store, _held(store, caller, series_id), days, parts.network, parts.world))


@router.post("/{series_id}/move")
def move_series_day(series_id: RowId, move: SeriesMove, caller: CallerOf, parts: PartsOf, query: PromisedOf) -> SeriesOutcome:
    """One ride on another day, or at another time. Done again, it is moved from where it is then."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        row = _held(store, caller, series_id)
        moved = move_date(store, row, move, parts.network, parts.world, also_promised=query.also_promised)
        return SeriesOutcome.of(store, moved)


def _held(store: Store, caller: Caller, series_id: RowId) -> RideSeries:
    return own_series(caller, store.series_held(series_id))


def _asker(store: Store, caller: Caller, new: NewSeries) -> Asker:
    """Whoever asks, for a person that he or she may ask for. BadInput otherwise."""
    try:
        own_beneficiary(caller, store.get(Beneficiary, new.beneficiary_id))
    except NotFound:
        raise BadInput([Fault("beneficiary_id", "unknown", "is not a person of this territory")]) from None
    if not caller.is_staff and new.priority > USUAL_PRIORITY:
        raise BadInput([Fault("priority", "not_yours", f"may be set above {USUAL_PRIORITY} by coordinators only")])
    return Asker(actor_id=caller.actor_id, staff=caller.is_staff, channel="series")

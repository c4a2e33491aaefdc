"""SMS that people send: passed on by a gateway, read by the service, and by coordinators where it cannot."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from api.auth import CallerOf
from api.deps import PartsOf
from api.schemas import Page, PageQuery, page_of
from api.told import SmsOut, SmsTaken
from dispatch.model.intake import RowId
from dispatch.model.sms import IncomingSms
from dispatch.service import sms as service

router = APIRouter(prefix="/sms", tags=["telling"])


class SmsQuery(PageQuery):
    """Which SMS."""

    state: Literal["waiting", "any"] = "waiting"


@router.post("/incoming")
def receive_sms(sms: IncomingSms, caller: CallerOf, parts: PartsOf) -> SmsTaken:
    """What somebody sent, as a gateway passes it on: an answer to an offer, a ride given up, no SMS any more, or something for a human."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return SmsTaken.model_validate(service.receive_sms(store, sms, parts.world))


@router.get("")
def list_sms(caller: CallerOf, parts: PartsOf, query: Annotated[SmsQuery, Query()]) -> Page[SmsOut]:
    """Newest first; those that somebody has to read, unless `state=any`. The words of others are not kept."""
    with parts.reading(caller.territory_id) as store:
        rows = store.page_of_sms(query.state == "waiting", query.after, query.limit)
        found = [SmsOut.of(view) for view in service.show_sms(store, rows)]
    parts.note_read(caller, "person", None, sum(sms.text is not None for sms in found))
    return page_of(rows, found, query)


@router.post("/{sms_id}/settle")
def settle_sms(sms_id: RowId, caller: CallerOf, parts: PartsOf) -> SmsTaken:
    """Somebody has read it: it leaves the list, and its words are not kept any longer."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return SmsTaken.model_validate(service.settle_sms(store, sms_id, parts.world))

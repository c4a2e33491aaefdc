"""Webhooks: a manager says which other systems are told what changes. docs/webhooks.md is for whoever receives them."""

from fastapi import APIRouter, Response

from api.auth import CallerOf
from api.deps import PartsOf
from api.once import OnceOf
from api.schemas import Page, PageOf
from api.told import WebhookMade, WebhookOut
from dispatch.model.intake import RowId
from dispatch.model.telling import NewWebhook
from dispatch.service.webhooks import add_webhook, check_address

router = APIRouter(prefix="/webhooks", tags=["webhooks"])


@router.post("", status_code=201, response_model=WebhookMade)
def create_webhook(new: NewWebhook, caller: CallerOf, parts: PartsOf, once: OnceOf) -> Response:
    """Tell an address of these events from now on. Its secret is in this answer only: repeated, it is null."""
    check_address(new.url, parts.settings)

    def create() -> WebhookMade:
        row, secret = add_webhook(store, new, parts.world)
        store.note_access("made", "webhook", row.id, 1, parts.world)
        return WebhookMade.of(row, 0, secret=secret)

    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return once.answer(store.session, 201, create, shown_once="secret")


@router.get("")
def list_webhooks(caller: CallerOf, parts: PartsOf, page: PageOf) -> Page[WebhookOut]:
    """All of this territory, oldest first, with how many events are on their way to each."""
    with parts.reading(caller.territory_id) as store:
        rows = store.page_of_endpoints(page.after, page.limit)
        waiting = store.waiting_for([row.id for row in rows])
        found = [WebhookOut.of(row, waiting.get(row.id, 0)) for row in rows]
    return Page[WebhookOut](items=found, next=rows[-1].id if len(rows) == page.limit else None)


@router.delete("/{webhook_id}", status_code=204)
def remove_webhook(webhook_id: RowId, caller: CallerOf, parts: PartsOf) -> Response:
    """It is told nothing any more, nor what was on its way to it."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        store.remove_endpoint(webhook_id)
        store.note_access("erased", "webhook", webhook_id, 1, parts.world)
    return Response(status_code=204)

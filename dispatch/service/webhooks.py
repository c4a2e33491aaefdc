"""Webhooks: other systems that are told what changes in a territory. One function per use case; the caller commits.

In: an address and events. Out: a row, and its secret, once. Called by the API.
"""

from urllib.parse import urlsplit

from dispatch.errors import BadInput, Conflict, Fault
from dispatch.model.telling import NewWebhook
from dispatch.notices.addresses import Private, public_address, read_address
from dispatch.notices.webhooks import new_secret
from dispatch.settings import Settings
from dispatch.storage.notice_tables import WebhookEndpoint
from dispatch.storage.store import Store
from dispatch.world import World

MOST = 20  # addresses of a territory


def check_address(url: str, settings: Settings) -> None:
    """BadInput for an address that webhooks do not go to. A name that nobody knows yet is taken: it is looked up again.

    Looks the name up: not to be called inside a transaction.
    """
    own_host = urlsplit(settings.public_url).hostname if settings.public_url else None
    place = read_address(url, loopback=settings.webhooks_to_loopback, own_host=own_host)
    try:
        public_address(place)
    except Private as error:
        if str(error) != "unknown_name":
            raise BadInput([Fault("url", "invalid", "leads into a private network")]) from None


def add_webhook(store: Store, new: NewWebhook, world: World) -> tuple[WebhookEndpoint, str]:
    """Tell an address, from now on; and the secret that proves who tells it."""
    if len(store.endpoints()) >= MOST:
        raise Conflict(f"There are {MOST} addresses already: remove one first.")
    secret = new_secret(world)
    row = WebhookEndpoint(id=world.new_id(), url=new.url, events=list(dict.fromkeys(new.events)), created_at=world.now())
    store.add_endpoint(row, secret)
    return row, secret

"""Telling other systems what has changed: signed as Standard Webhooks has it, each event at least once, those of one thing in order.

In: deliveries, which the database adds with every event (migration 0009). Out: an HTTP request per try. The receiver knows what it has seen
by `webhook-id`, which is the event's: the same at every try. What is told are ids, states and times, never a name.
"""

import base64
import hashlib
import hmac
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from dispatch.errors import BadInput
from dispatch.metrics import WEBHOOKS
from dispatch.notices.addresses import Place, Private, public_address, read_address
from dispatch.notices.sender import pause, territories
from dispatch.storage.database import Database
from dispatch.storage.log import Event
from dispatch.storage.store import Store
from dispatch.world import World

log = structlog.get_logger()
#: Between tries: ten of them in 75.6 hours, as Standard Webhooks recommends.
TRIES = tuple(timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400))
MOST_TRIES = len(TRIES) + 1
STEP_S, WHOLE_S = 5.0, 10.0  # one wait for the receiver, and all of a try
LEASE_S = 60.0
BATCH = 100
KEPT = timedelta(days=30)
PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One try of one event at one address, ours until its lease ends."""

    territory_id: UUID
    endpoint_id: UUID
    event_id: UUID
    token: int
    attempts: int
    url: str
    secret: str
    body: bytes


def new_secret(world: World) -> str:
    """To sign with: 32 random bytes, as receivers' libraries read them."""
    return PREFIX + base64.b64encode(bytes.fromhex(world.token(32))).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """What proves who sent it, and that nothing was changed."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(signed).decode()}"


def body_of(event: Event) -> bytes:
    """What has changed, as JSON; nobody's name is in an event."""
    data = {
        "territory_id": str(event.territory_id),
        "kind": event.kind,
        "id": str(event.subject_id),
        "seq": event.seq,
        "before": event.before,
        "after": event.after,
        "reason": event.reason,
    }
    at = event.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({"type": f"{event.kind}.{event.after}", "timestamp": at, "data": data}, separators=(",", ":")).encode()


def deliver_due(database: Database, world: World, *, loopback: bool = False, limit: int = BATCH) -> int:
    """Try everything that is due now, at most `limit` per territory; how many tries were made.

    An address that does not answer is left alone for the rest of the turn: the others do not wait for it again and again.
    """
    tried = 0
    for territory_id in territories(database):
        silent: set[UUID] = set()
        done = 0
        while done < limit:
            with database.read() as session:
                due = Store(session, territory_id).due_deliveries(world, limit - done, silent)
            made = sum(_one(database, territory_id, key, silent, world, loopback) for key in due)
            done += made
            if not made:
                break
        tried += done
    return tried


def _one(database: Database, territory_id: UUID, key: tuple[UUID, UUID], silent: set[UUID], world: World, loopback: bool) -> int:
    if key[1] in silent:
        return 0
    with database.write() as session:
        delivery = Store(session, territory_id).claim_delivery(*key, LEASE_S, world, body_of)
    if delivery is None:
        return 0
    claimed = Delivery(territory_id, key[1], key[0], *delivery)
    outcome = _try(claimed, world.now(), loopback)
    if outcome == "silent" or outcome.startswith("no_"):
        silent.add(key[1])
    with database.write() as session:
        store = Store(session, territory_id)
        if outcome == "gone":
            store.disable_endpoint(claimed.endpoint_id, "gone", world.now())
        held = store.settle_delivery(key, claimed.token, **_values(claimed, outcome, world))
    WEBHOOKS.labels(("sent" if outcome == "" else "failed") if held else "lost").inc()
    return 1


def _values(delivery: Delivery, outcome: str, world: World) -> dict[str, object]:
    if not outcome:
        return {"state": "sent", "sent_at": world.now(), "failure": None}
    if outcome == "gone" or delivery.attempts >= MOST_TRIES:
        return {"state": "failed", "failure": outcome}
    wait = pause(TRIES, delivery.attempts, delivery.event_id)
    return {"state": "queued", "failure": outcome, "next_try_at": world.now() + wait}


def _try(delivery: Delivery, now: datetime, loopback: bool) -> str:
    """Empty when the receiver took it, else a code. Anything but 2xx is a failure, a redirect too."""
    message_id, timestamp = str(delivery.event_id), int(now.timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Allons-Webhooks/1",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(delivery.secret, message_id, timestamp, delivery.body),
    }
    try:
        place = read_address(delivery.url, loopback=loopback)
        status = _post(place, public_address(place), headers, delivery.body)
    except BadInput:
        return "bad_address"
    except Private as error:
        return str(error)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return "silent" if isinstance(error, OSError) else "no_http"
    if status == 410:
        return "gone"
    return "" if 200 <= status < 300 else f"http_{status}"


def _post(place: Place, number: str, headers: Mapping[str, str], body: bytes) -> int:
    """The status. Connected to the very number that was judged, under the name that was asked for; the answer's body is not read."""
    connection = _Connection(place, number)
    watch = threading.Timer(WHOLE_S, connection.cut)  # whoever answers a byte at a time
    watch.start()
    try:
        connection.request("POST", place.path, body=body, headers={"Host": place.named, **headers})
        status = connection.getresponse().status
        if connection.was_cut:  # the end of what was cut looks like an answer
            raise TimeoutError
        return status
    finally:
        watch.cancel()
        connection.close()


class _Connection(http.client.HTTPConnection):
    def __init__(self, place: Place, number: str) -> None:
        super().__init__(place.host, place.port, timeout=STEP_S)
        self._place, self._number, self.was_cut = place, number, False

    def connect(self) -> None:
        self.sock = socket.create_connection((self._number, self._place.port), timeout=STEP_S)
        if self._place.secure:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self._place.host)

    def cut(self) -> None:
        """From another thread."""
        self.was_cut, sock = True, self.sock
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def sweep(database: Database, world: World) -> None:
    """Deliveries that were settled a month ago are removed."""
    for territory_id in territories(database):
        with database.write() as session:
            Store(session, territory_id).forget_deliveries_before(world.now() - KEPT)

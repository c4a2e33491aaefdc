"""Every committed event arrives at every address that asked for it, signed, in order, also when receivers and senders break."""

import base64
import datetime as dt
import json
import signal
import socket
import ssl
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from dispatch.notices import webhooks
from dispatch.notices.addresses import Place
from dispatch.notices.webhooks import MOST_TRIES, deliver_due, new_secret, signature, sweep
from dispatch.service.offers import accept_offer, decline_offer
from dispatch.storage.log import Event
from dispatch.storage.notice_tables import WebhookDelivery, WebhookEndpoint
from dispatch.storage.tables import Offer
from dispatch.world import World
from tests.dispatch.notices.conftest import Posts, receiving
from tests.dispatch.territories import NOW, TestTerritory

ALL = ["leg.offered", "leg.confirmed", "leg.pending", "offer.accepted", "offer.declined", "leg.cancelled"]


def listen(place: TestTerritory, posts: Posts, events: list[str] | None = None) -> tuple[UUID, str]:
    """A new address: its id, and its secret."""
    secret = new_secret(place.world)
    row = WebhookEndpoint(id=place.world.new_id(), url=f"http://127.0.0.1:{posts.port}/hook", events=events or ALL, created_at=NOW)
    with place.store() as store:
        store.add_endpoint(row, secret)
    return row.id, secret


def offered(place: TestTerritory) -> Offer:
    """One request that somebody is asked about: leg.offered."""
    volunteer, request = place.volunteer(), place.ask(back=None)
    place.run_round({(request, "outbound"): (volunteer, "10:00")})
    return place.offer(request)


def answer(place: TestTerritory, offer: Offer, how: str) -> None:
    with place.store() as store:
        row = store.get(Offer, offer.id)
        accept_offer(store, row, place.world) if how == "accept" else decline_offer(store, row, "other", place.world)


def deliver(place: TestTerritory) -> int:
    return deliver_due(place.database, place.world, loopback=True)


def deliveries(place: TestTerritory) -> list[WebhookDelivery]:
    with place.store() as store:
        query = sa.select(WebhookDelivery).where(WebhookDelivery.territory_id == place.id)
        return list(store.session.scalars(query.order_by(WebhookDelivery.subject_id, WebhookDelivery.seq)))


def events(place: TestTerritory, *kinds: str) -> set[str]:
    with place.store() as store:
        rows = store.session.scalars(sa.select(Event).where(Event.territory_id == place.id))
        return {str(row.id) for row in rows if f"{row.kind}.{row.after}" in (kinds or ALL)}


def test_what_was_committed_arrives_signed_and_names_nobody(place: TestTerritory, posts: Posts) -> None:
    _, secret = listen(place, posts)
    offer = offered(place)
    answer(place, offer, "accept")
    assert deliver(place) == 3
    received = set()
    for (path, headers, body), told in zip(posts.seen, posts.bodies, strict=True):
        real = {**headers, "webhook-timestamp": headers["webhook-timestamp"]}
        assert int(headers["webhook-timestamp"]) == int(place.world.now().timestamp())
        assert signature(secret, headers["webhook-id"], int(headers["webhook-timestamp"]), body) == headers["webhook-signature"]
        assert path == "/hook"
        assert real["content-type"] == "application/json"
        assert set(told["data"]) == {"territory_id", "kind", "id", "seq", "before", "after", "reason"}
        assert told["type"] == f"{told['data']['kind']}.{told['data']['after']}"
        received.add(headers["webhook-id"])
    assert received == events(place)
    assert [told["type"] for told in posts.bodies if told["data"]["kind"] == "leg"] == ["leg.offered", "leg.confirmed"]
    assert deliver(place) == 0


def test_receivers_libraries_accept_our_signature_and_nothing_else() -> None:
    secret = new_secret(World())
    now = int(time.time())
    body = json.dumps({"type": "leg.offered"}).encode()
    headers = {"webhook-id": "m", "webhook-timestamp": str(now), "webhook-signature": signature(secret, "m", now, body)}
    assert Webhook(secret).verify(body, headers) == {"type": "leg.offered"}
    old = now - 600
    for changed, sent in (
        (headers, body + b" "),
        (headers | {"webhook-id": "n"}, body),
        (headers | {"webhook-timestamp": str(old), "webhook-signature": signature(secret, "m", old, body)}, body),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(sent, changed)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret(World())).verify(body, headers)
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32


def test_an_address_is_told_what_it_asked_for_and_nothing_of_another_territory(place: TestTerritory, posts: Posts) -> None:
    listen(place, posts, ["offer.declined"])
    other = TestTerritory(place.database, place.network, "B", 2)
    answer(other, offered(other), "decline")
    answer(place, offered(place), "decline")
    deliver(place)
    assert [told["type"] for told in posts.bodies] == ["offer.declined"]
    assert posts.bodies[0]["data"]["territory_id"] == str(place.id)
    assert posts.bodies[0]["data"]["reason"] == "other"


def test_what_was_rolled_back_is_told_to_nobody(place: TestTerritory, posts: Posts) -> None:
    listen(place, posts)
    offer = offered(place)
    deliver(place)
    seen = len(posts.seen)
    with pytest.raises(KeyError), place.store() as store:
        decline_offer(store, store.get(Offer, offer.id), "other", place.world)
        raise KeyError
    assert deliver(place) == 0
    assert len(posts.seen) == seen


def test_a_receiver_that_is_down_is_tried_ten_times_in_three_days_under_one_id(place: TestTerritory, posts: Posts) -> None:
    listen(place, posts)
    posts.answer = lambda _: (500, {})
    offered(place)
    moments = []
    for _ in range(30):
        if deliver(place):
            moments.append(place.world.now() - NOW)
        (row,) = deliveries(place)
        if row.state == "failed":
            break
        place.world.advance(max(row.next_try_at - place.world.now(), timedelta(seconds=1)))
    assert len(moments) == MOST_TRIES == 10
    assert timedelta(hours=75.6 * 0.9) < moments[-1] < timedelta(hours=75.6 * 1.1)
    assert sum(webhooks.TRIES, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)
    assert len({headers["webhook-id"] for _, headers, _ in posts.seen}) == 1
    assert len({headers["webhook-timestamp"] for _, headers, _ in posts.seen}) == 10  # signed anew each time
    assert row.failure == "http_500"


def test_what_happens_to_one_thing_is_told_in_order_and_other_things_do_not_wait(place: TestTerritory, posts: Posts) -> None:
    listen(place, posts, ["leg.offered", "leg.pending", "leg.confirmed"])
    first = offered(place)
    posts.answer = lambda number: (503 if number == 1 else 200, {})
    deliver(place)
    answer(place, first, "decline")
    second = offered(place)
    answer(place, second, "accept")
    deliver(place)
    told = [(body["data"]["id"], body["data"]["after"]) for body in posts.bodies]
    assert [state for leg, state in told if leg != told[0][0]] == ["offered", "confirmed"]
    assert [state for leg, state in told if leg == told[0][0]] == ["offered"]  # its second step waits for the first
    place.world.advance(timedelta(seconds=10))
    deliver(place)
    assert [body["data"]["after"] for body in posts.bodies if body["data"]["id"] == told[0][0]] == ["offered", "offered", "pending"]


def test_410_disables_an_address_and_nobody_else(place: TestTerritory, posts: Posts) -> None:
    endpoint, _ = listen(place, posts)
    with receiving() as others:
        listen(place, others)
        posts.answer = lambda _: (410, {})
        answer(place, offered(place), "accept")
        deliver(place)
        answer(place, offered(place), "accept")
        deliver(place)
        assert len(posts.seen) == 1
        assert len(others.seen) == 6
    with place.store() as store:
        row = store.session.get_one(WebhookEndpoint, endpoint)
        assert (row.disabled_at, row.failure) == (NOW, "gone")
    assert {row.state for row in deliveries(place) if row.endpoint_id == endpoint} == {"failed"}


def test_a_redirect_is_a_failure_and_is_not_followed(place: TestTerritory, posts: Posts) -> None:
    listen(place, posts)
    with receiving() as trap:
        posts.answer = lambda _: (307, {"Location": f"http://127.0.0.1:{trap.port}/"})
        offered(place)
        deliver(place)
        assert trap.seen == []
    assert [row.failure for row in deliveries(place)] == ["http_307"]


def silent_server(behave: Callable[[socket.socket], None]) -> tuple[socket.socket, int]:
    """A receiver that behaves badly."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client, suppress(OSError):
                behave(client)

    threading.Thread(target=serve, daemon=True).start()
    return server, server.getsockname()[1]


def no_http(client: socket.socket) -> None:
    """Reads all, and answers in another tongue."""
    while b'"reason"' not in client.recv(65536):
        pass
    client.sendall(b"SSH-2.0\r\n\r\n")


def drip(client: socket.socket) -> None:
    """A byte now and then, for ever."""
    for letter in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000:
        client.sendall(bytes([letter]))
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("behave", "failure"),
    [
        (lambda _: time.sleep(3), "silent"),
        (drip, "silent"),
        (no_http, "no_http"),
        (lambda _: None, "silent"),
    ],
)
def test_a_receiver_that_is_slow_or_talks_something_else_costs_a_moment_and_holds_nobody_up(
    place: TestTerritory, posts: Posts, monkeypatch: pytest.MonkeyPatch, behave: Callable[[socket.socket], None], failure: str
) -> None:
    monkeypatch.setattr(webhooks, "STEP_S", 0.4)
    monkeypatch.setattr(webhooks, "WHOLE_S", 0.8)
    server, port = silent_server(behave)
    bad = Posts()
    bad.port = port
    with server:
        listen(place, bad)
        good, _ = listen(place, posts)
        for _ in range(2):
            answer(place, offered(place), "accept")
        begun = time.monotonic()
        deliver(place)
        assert time.monotonic() - begun < 3  # once for all of its events, not once each
    told = deliveries(place)
    assert {row.state for row in told if row.endpoint_id == good} == {"sent"}
    assert {row.failure for row in told if row.endpoint_id != good} <= {failure, None}
    assert failure in {row.failure for row in told}


def test_over_tls_the_name_is_the_one_asked_for_and_the_number_the_one_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate of that name is needed; one of another name is refused."""
    for name, expected in (("hooks.example.org", 204), ("other.example.org", None)):
        key, certificate = made_certificate(name, tmp_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        seen: list[bytes] = []

        def behave(client: socket.socket, context: ssl.SSLContext = context, seen: list[bytes] = seen) -> None:
            with context.wrap_socket(client, server_side=True) as tls:
                request = b""
                while not request.endswith(b"{}"):
                    request += tls.recv(65536)
                seen.append(request)
                tls.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

        server, port = silent_server(behave)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        place = Place(True, "hooks.example.org", port, "/allons?x=1")
        with server:
            if expected is None:
                with pytest.raises(ssl.SSLCertVerificationError):
                    webhooks._post(place, "127.0.0.1", {}, b"{}")
            else:
                assert webhooks._post(place, "127.0.0.1", {"webhook-id": "m"}, b"{}") == expected
                assert seen[0].startswith(b"POST /allons?x=1 HTTP/1.1\r\n")
                assert f"\r\nHost: hooks.example.org:{port}\r\n".encode() in seen[0]


def made_certificate(name: str, folder: Path) -> tuple[Path, Path]:
    """Signed by itself, for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    key_file, file = folder / f"{name}.key", folder / f"{name}.pem"
    plain = serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return key_file, file


#: Two senders, one after the other, each killed at its third request, before or after it was sent; says how each ended.
CHILD = """
    import datetime as dt, os, signal, sys, time
    from dispatch.notices import webhooks
    from dispatch.storage.database import Database
    from dispatch.storage.vault import Vault
    from dispatch.world import FixedWorld
    url, when = sys.argv[1:]
    webhooks.LEASE_S = 0.05
    post, count = webhooks._post, 0
    def killed(*given):
        global count
        count += 1
        if count == 3 and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        status = post(*given)
        if count == 3 and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return status
    webhooks._post = killed
    for _ in range(2):
        child = os.fork()
        if child == 0:
            with Database(url, Vault(bytes(32))) as database:
                webhooks.deliver_due(database, FixedWorld(dt.datetime(2026, 11, 23, 10, 0, tzinfo=dt.UTC)), loopback=True)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        time.sleep(0.2)  # its lease ends
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_senders_and_a_receiver_that_fails_half_the_time_lose_nothing(place: TestTerritory, posts: Posts, when: str) -> None:
    """set(received) == set(committed), in order for each thing."""
    listen(place, posts)
    for number in range(5):
        answer(place, offered(place), "accept" if number % 2 else "decline")
    posts.answer = lambda number: (500 if number % 2 else 200, {})
    url = place.database._engine.url.render_as_string(hide_password=False)
    run = [sys.executable, "-c", textwrap.dedent(CHILD), url, when]
    ended = subprocess.run(run, capture_output=True, check=True, text=True)
    assert ended.stdout.split() == [str(-signal.SIGKILL)] * 2, ended.stderr
    taken: dict[str, dict[str, Any]] = {}

    def all_of_it() -> None:
        for number, ((_, headers, _), body) in enumerate(zip(posts.seen, posts.bodies, strict=True), 1):
            if posts.answer(number)[0] == 200:
                taken.setdefault(headers["webhook-id"], body["data"])

    for _ in range(40):
        deliver(place)
        place.world.advance(timedelta(hours=3))
    all_of_it()
    assert set(taken) == events(place)
    last: dict[str, int] = {}
    for data in taken.values():
        assert data["seq"] > last.get(data["id"], 0)
        last[data["id"]] = data["seq"]
    assert {row.state for row in deliveries(place)} == {"sent"}


def test_what_was_told_a_month_ago_is_forgotten_and_what_waits_is_not(place: TestTerritory, posts: Posts) -> None:
    listen(place, posts)
    offered(place)
    deliver(place)
    posts.answer = lambda _: (500, {})
    answer(place, offered(place), "accept")
    deliver(place)
    place.world.advance(timedelta(days=31))
    sweep(place.database, place.world)
    assert {row.state for row in deliveries(place)} == {"queued"}


def test_an_address_that_is_removed_takes_with_it_what_was_on_its_way(place: TestTerritory, posts: Posts) -> None:
    endpoint, _ = listen(place, posts)
    offered(place)
    with place.store() as store:
        assert store.waiting_for([endpoint]) == {endpoint: 1}
        store.remove_endpoint(endpoint)
    assert deliveries(place) == []
    assert deliver(place) == 0

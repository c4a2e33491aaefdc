"""Where webhooks may go: every way into a network of ours is refused, when it is saved and when it is used."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from dispatch.errors import BadInput
from dispatch.notices import addresses, webhooks
from dispatch.notices.addresses import Place, Private, is_public, public_address, read_address
from dispatch.notices.webhooks import Delivery, _try
from tests.dispatch.territories import NOW

TAKEN = {
    "https://hooks.example.org": ("hooks.example.org", 443, "/"),
    "https://hooks.example.org/allons?x=1&y=%20": ("hooks.example.org", 443, "/allons?x=1&y=%20"),
    "https://hooks.example.org:443/": ("hooks.example.org", 443, "/"),
    "https://hooks.example.org:8443/a": ("hooks.example.org", 8443, "/a"),
    "https://HOOKS.Example.ORG/A": ("hooks.example.org", 443, "/A"),
    "https://xn--hooks-9ua.example.org/": ("xn--hooks-9ua.example.org", 443, "/"),
}
REFUSED = [
    "http://hooks.example.org", "ftp://hooks.example.org", "file:///etc/passwd", "gopher://hooks.example.org", "javascript:alert(1)",
    "//hooks.example.org", "hooks.example.org", "", "https://", "https:///x", "https://user:pass@hooks.example.org", "https://user@hooks.example.org",
    "https://hooks.example.org:22", "https://hooks.example.org:6379", "https://hooks.example.org:80", "https://hooks.example.org:0",
    "https://hooks.example.org:99999", "https://hooks.example.org:x", "https://hooks.example.org:", "https://localhost", "https://a.localhost",
    "https://127.0.0.1", "https://127.1", "https://2130706433", "https://0x7f.1", "https://0x7f000001", "https://0177.0.0.1", "https://0.0.0.0",
    "https://[::1]", "https://[::ffff:127.0.0.1]", "https://[fe80::1]", "https://[fc00::1]", "https://169.254.169.254", "https://10.0.0.1",
    "https://172.16.0.1", "https://192.168.1.1", "https://100.64.0.1", "https://1.1.1.1", "https://db", "https://redis.internal",
    "https://printer.local", "https://hooks.example.org.", "https://hooks..example.org", "https://-hooks.example.org",
    "https://hoo\u212As.example.org", "https://127。0。0。1", "https://hooks.example.org\\@127.0.0.1", "https://hooks.example.org#@127.0.0.1",
    "https://hooks.example.org/\r\nHost: x", "https://hooks.example.org/a b", "https://hooks.example.org/#x",
    f"https://hooks.example.org/{'a' * 3000}",
    "https://allons.example.org/v1/trip-requests", "http://127.0.0.1:8000/", "https://hooks.example.org/é", "https://hooks.example.1",
]  # fmt: skip


@pytest.mark.parametrize("url", TAKEN)
def test_a_public_name_is_taken_apart(url: str) -> None:
    place = read_address(url, own_host="allons.example.org")
    assert (place.secure, place.host, place.port, place.path) == (True, *TAKEN[url])


@pytest.mark.parametrize("url", REFUSED)
def test_everything_else_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_address(url, own_host="allons.example.org")
    (fault,) = refused.value.faults
    assert fault.pointer == "url"
    assert len(url) <= 8 or url not in fault.sentence


def test_loopback_is_for_trying_out_only() -> None:
    assert read_address("http://127.0.0.1:8000/x", loopback=True) == Place(False, "127.0.0.1", 8000, "/x")
    for url in ("http://127.0.0.1/", "http://user@127.0.0.1:8000/", "http://127.0.0.2:8000/", "http://hooks.example.org:8000/"):
        with pytest.raises(BadInput):
            read_address(url, loopback=True)


@pytest.mark.parametrize(
    "number",
    [
        "127.0.0.1", "0.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.169.254", "100.64.0.1", "192.0.2.1",
        "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "fc00::1", "fd12::1",
        "fe80::1", "fe80::1%eth0", "ff02::1", "2002:7f00:1::", "2002:a00:1::", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2001:db8::1",
        "2001:0:0:0:0:0:80ff:fffe", "no number",
    ],
)  # fmt: skip
def test_numbers_of_our_own_network_are_not_public(number: str) -> None:
    assert not is_public(number)


@pytest.mark.parametrize("number", ["1.1.1.1", "93.184.216.34", "2606:4700::1111"])
def test_numbers_of_the_internet_are(number: str) -> None:
    assert is_public(number)


class Trap:
    """A listener that nobody must reach."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(0.2)
        self.port = self._server.getsockname()[1]

    def touched(self) -> bool:
        try:
            self._server.accept()[0].close()
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        self._server.close()


@pytest.fixture
def trap() -> Iterator[Trap]:
    found = Trap()
    yield found
    found.close()


def delivery(url: str) -> Delivery:
    from uuid import uuid4

    return Delivery(uuid4(), uuid4(), uuid4(), 1, 1, url, "whsec_AAAA", b"{}")


def resolves(monkeypatch: pytest.MonkeyPatch, *numbers: str, port: int) -> None:
    """The name leads to these numbers."""

    def answer(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, port)) for number in numbers]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


@pytest.mark.parametrize("numbers", [("127.0.0.1",), ("93.184.216.34", "127.0.0.1")])
@pytest.mark.parametrize("guarded", [True, False])
def test_a_name_that_leads_to_us_by_now_is_not_connected_to(
    trap: Trap, monkeypatch: pytest.MonkeyPatch, numbers: tuple[str, ...], *, guarded: bool
) -> None:
    monkeypatch.setattr(addresses, "PORTS", (443, trap.port))
    resolves(monkeypatch, *numbers[::-1] if not guarded else numbers, port=trap.port)
    if not guarded:
        monkeypatch.setattr(addresses, "is_public", lambda _: True)
    outcome = _try(delivery(f"https://hooks.example.org:{trap.port}/"), NOW, loopback=False) if guarded else None
    if not guarded:
        monkeypatch.setattr(webhooks, "STEP_S", 0.5)
        outcome = _try(delivery(f"https://hooks.example.org:{trap.port}/"), NOW, loopback=False)
    assert outcome == ("private_address" if guarded else "silent")
    assert trap.touched() is not guarded


def test_the_name_is_looked_up_once_and_the_number_that_was_judged_is_connected_to(trap: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that answers with a public number first and with ours the second time gains nothing."""
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    asked, connected = [], []

    def answer(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, port)) for number in next(answers)]

    def connect(address: tuple[str, int], **_: Any) -> socket.socket:
        connected.append(address[0])
        raise TimeoutError

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    monkeypatch.setattr(socket, "create_connection", connect)
    assert _try(delivery("https://hooks.example.org/"), NOW, loopback=False) == "silent"
    assert (asked, connected) == (["hooks.example.org"], ["93.184.216.34"])
    assert not trap.touched()


def test_a_name_that_nobody_knows_is_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Private, match="unknown_name"):
        public_address(read_address("https://hooks.example.org"))

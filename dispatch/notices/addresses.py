"""Where webhooks may go: https to a public name, and nothing of our own network, whatever the name resolves to.

In: an address. Out: its host, port and path, or a fault that does not repeat it; `public_address` gives the very numbers to connect to.
Judged when it is saved and again at every try, since a name may lead elsewhere by then.
"""

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from dispatch.errors import BadInput, Fault

LONGEST = 2000
PORTS = (443, 8443)
_NAME = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})")
_PATH = re.compile(r"[A-Za-z0-9/._~!$&'()*+,;=:@%?-]*")
_OURS = (".localhost", ".local", ".internal", ".intranet", ".lan", ".home", ".corp", ".home.arpa", ".onion")
_WRAPPED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
IP = ipaddress.IPv4Address | ipaddress.IPv6Address


class Private(Exception):
    """A name that leads into a network of ours, or nowhere."""


@dataclass(frozen=True, slots=True)
class Place:
    """An address, taken apart."""

    secure: bool
    host: str
    port: int
    path: str  # with its query

    @property
    def named(self) -> str:
        """As the header Host has it."""
        return self.host if self.port in (80, 443) else f"{self.host}:{self.port}"


def read_address(url: str, *, loopback: bool = False, own_host: str | None = None) -> Place:
    """BadInput for what is no https address of another system. `loopback`: http://127.0.0.1 is one, for trying things out."""
    wrong = None
    if len(url) > LONGEST:
        wrong = f"must have at most {LONGEST} characters"
    elif not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        wrong = "must be plain ASCII; write an international name as xn--…"
    if wrong is None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise BadInput([Fault("url", "invalid", "is no address")]) from None
        host = parts.hostname or ""
        if loopback and parts.scheme == "http" and host == "127.0.0.1" and port and parts.username is None:
            return Place(False, host, port, _path(parts.path, parts.query))
        wrong = _wrong(parts.scheme, host, port, parts.netloc, own_host) or (
            "must have no part behind # and only plain characters"
            if parts.fragment or "#" in url or not _plain(parts.path, parts.query)
            else None
        )
    if wrong is not None:
        raise BadInput([Fault("url", "invalid", wrong)])
    return Place(True, host, port or 443, _path(parts.path, parts.query))


def _wrong(scheme: str, host: str, port: int | None, netloc: str, own_host: str | None) -> str | None:
    if scheme != "https":
        return "must begin with https://"
    if "@" in netloc:
        return "must hold no user and no password"
    if netloc.endswith(":") or port not in (None, *PORTS):
        return f"must use port {' or '.join(map(str, PORTS))}"
    if not _NAME.fullmatch(host) or host.endswith(_OURS):
        return "must name a public host by its name, such as https://hooks.example.org/allons"
    if own_host is not None and host == own_host:
        return "is this service itself"
    return None


def public_address(place: Place) -> str:
    """The numbers to connect to. Private when the name leads to any that is not public, or nowhere. Looks the name up: may take seconds."""
    if not place.secure:  # only `loopback` lets it through
        return place.host
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Private("unknown_name") from None
    numbers = [str(row[4][0]) for row in found]
    if not numbers or not all(is_public(number) for number in numbers):
        raise Private("private_address")
    return numbers[0]


def is_public(number: str) -> bool:
    """Whether anybody on the internet may have it; an address inside another one counts too."""
    try:
        address: IP = ipaddress.ip_address(number.partition("%")[0])
    except ValueError:
        return False
    if "%" in number:
        return False
    inner: list[IP | None] = []
    if isinstance(address, ipaddress.IPv6Address):
        inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if any(address in network for network in _WRAPPED):
            inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return all(one.is_global and not one.is_multicast and not one.is_reserved for one in (address, *inner) if one is not None)


def _plain(path: str, query: str) -> bool:
    return bool(_PATH.fullmatch(path) and _PATH.fullmatch(query))


def _path(path: str, query: str) -> str:
    return (path or "/") + (f"?{query}" if query else "")

"""One question to a service on the network, with bounds on everything: time, size, redirects, tries.

In: an address and parameters. Out: parsed JSON. Called by the adapters of BAN and Nominatim. What was asked is in the address, because the
services have it so; it is in no log, and in no error of ours.
"""

import json
import time
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from routing.errors import PlacesAway
from routing.places.port import one_line

CONNECT_S, READ_S, WHOLE_S = 2.0, 2.0, 4.0
MOST_BYTES = 512 * 1024
USER_AGENT = "Allons (solidarity mobility; self-hosted)"
_PIECE = 16 * 1024
_AGAIN = {502, 503, 504}


def ask(base: str, path: str, parameters: dict[str, str]) -> Any:
    """The answer. PlacesAway, saying nothing of what was asked, for anything else than JSON with status 200 in time."""
    until = time.monotonic() + WHOLE_S
    for last in (False, True):
        try:
            status, body = _get(f"{base.rstrip('/')}/{path}", parameters, until)
        except requests.ConnectionError as error:  # refused, reset, or no such host; one that does not answer is not asked again
            if last or isinstance(error, requests.Timeout) or time.monotonic() > until:
                raise PlacesAway from None
            continue
        except (requests.RequestException, HTTPError, OSError, ValueError):
            raise PlacesAway from None
        if status in _AGAIN and not last and time.monotonic() < until:
            continue
        if status != 200:
            raise PlacesAway(f"The service that finds places answered {status}.")
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise PlacesAway("The service that finds places answered something else than JSON.") from None
    raise PlacesAway


def _get(url: str, parameters: dict[str, str], until: float) -> tuple[int, bytes]:
    """Status and body; ValueError when it is too long or too slow. Redirects are not followed: nobody chose where they lead."""
    headers = {"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Language": "fr", "Accept-Encoding": "identity"}
    with (
        requests.Session() as session,
        session.get(url, params=parameters, headers=headers, timeout=(CONNECT_S, READ_S), allow_redirects=False, stream=True) as answer,
    ):
        body = bytearray()
        while piece := answer.raw.read1(_PIECE):  # what is there, without waiting for a whole piece
            body += piece
            if len(body) > MOST_BYTES or time.monotonic() > until:
                raise ValueError("too long or too slow")
        return answer.status_code, bytes(body)


def text_of(value: Any) -> str:
    """A field that should be a text, or a list of them; cut, on one line."""
    first = value[0] if isinstance(value, list) and value else value
    return one_line(str(first)) if isinstance(first, str | int) and not isinstance(first, bool) else ""


def degrees_of(lon: Any, lat: Any) -> tuple[float, float] | None:
    """A point; None for what is none."""
    try:
        point = float(lon), float(lat)
    except (TypeError, ValueError, OverflowError):
        return None
    return point if abs(point[0]) <= 180 and abs(point[1]) <= 90 else None

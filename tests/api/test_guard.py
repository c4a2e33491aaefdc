"""Around every request: size and form of bodies, headers of answers, and errors nobody foresaw."""

import json
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from api.guard import MAX_BODY_BYTES
from tests.api.conftest import Service

PATH = "/v1/beneficiaries"
JSON = {"Content-Type": "application/json"}
GOOD = {"name": "Jeanne", "home": [2.3, 46.3]}


def send(service: Service, content: object, **headers: str):  # type: ignore[no-untyped-def]
    return service.call("coordinator", "POST", PATH, content=content, headers={**JSON, **headers})


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"{'name': 1}", b'{"name": "A",}', b'{"a": 1} x', b'{"name": "A", "name": "B"}', b'{"home": [NaN, 1]}',
        b'{"home": [Infinity, 1]}', b'{"home": [1e999, 1]}', b'{"x": ' + b"9" * 5000 + b"}", b"[" * 60_000,
        b'{"a":' * 200 + b"1" + b"}" * 200, b"\xff\xfe{}", b'{"name": "\xc0\xaf"}', b"\xef\xbb\xbf{}", b"// x\n{}", "é".encode("latin-1"),
    ],
)  # fmt: skip
def test_what_is_not_strict_json_is_unreadable(service: Service, body: bytes) -> None:
    answer = send(service, body)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:allons:error:unreadable")


@pytest.mark.parametrize("body", [b"null", b"[]", b'"x"', b"3", b"true"])
def test_json_that_is_not_an_object_is_told_so(service: Service, body: bytes) -> None:
    assert send(service, body).status_code == 422


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml",
     "application/merge-patch+json", "application/json; charset=utf-7", "application/json; charset=utf-16", ""],
)  # fmt: skip
def test_anything_but_json_in_utf_8_is_refused(service: Service, kind: str) -> None:
    answer = send(service, json.dumps(GOOD).encode(), **{"Content-Type": kind})
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:allons:error:not_json")


def test_packed_bodies_are_refused(service: Service) -> None:
    assert send(service, b"\x1f\x8b\x08", **{"Content-Encoding": "gzip"}).status_code == 415


def test_json_with_its_charset_named_is_taken(service: Service) -> None:
    point = list(service.here.point())
    body = json.dumps({"name": "Élodie", "home": point}, ensure_ascii=False).encode()
    assert send(service, body, **{"Content-Type": 'application/json; charset="UTF-8"'}).status_code == 201


def large() -> Iterator[bytes]:
    for _ in range(200):
        yield b" " * 1024


def test_large_bodies_are_refused_whether_they_say_so_or_not(service: Service) -> None:
    told = send(service, b" " * (MAX_BODY_BYTES + 1))
    untold = send(service, large())
    for answer in (told, untold):
        assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert (
        send(service, b" " * (MAX_BODY_BYTES - 200) + json.dumps({**GOOD, "home": list(service.here.point())}).encode()).status_code == 201
    )


@pytest.mark.parametrize("path", ["/livez", "/v1/offers", "/nothing", "/v1/trip-requests/x", "/docs", "/openapi.json"])
def test_every_answer_carries_its_headers_and_an_id(service: Service, path: str) -> None:
    answer = service.call("coordinator", "GET", path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert len(answer.headers["x-request-id"]) == 36


def test_an_unforeseen_error_tells_nothing_outside_and_no_value_inside(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("canary-secret")

    monkeypatch.setattr(type(service.parts.database), "read", fail)
    with capture_logs() as lines:
        answer = service.call("coordinator", "GET", "/v1/offers")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "canary" not in answer.text
    assert "canary" not in str(lines)
    assert [line["kind"] for line in lines if line["event"] == "unforeseen"] == ["RuntimeError"]
    assert answer.headers["x-request-id"] in str(lines)


def test_log_lines_carry_the_routes_name_and_no_value(service: Service) -> None:
    with capture_logs() as lines:
        service.call("coordinator", "GET", "/v1/offers/0f0f0f0f-aaaa-4bbb-8ccc-000000000000?x=canary")
        service.call("coordinator", "POST", PATH, json={"name": "canary", "home": [500, 0]})
    assert [(line["route"], line["status"]) for line in lines] == [("get_offer", 422), ("create_beneficiary", 422)]
    assert "canary" not in str(lines)
    assert "0f0f0f0f" not in str(lines)


def test_a_method_that_is_not_there_says_which_are(service: Service) -> None:
    answer = service.call("coordinator", "DELETE", "/v1/offers")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert answer.json()["type"] == "urn:allons:error:method_not_allowed"
    for method in ("DELETE", "GET"):  # no request has such an id to be read by
        nested = service.call("coordinator", method, "/v1/trip-requests/feasibility")
        assert (nested.status_code, nested.headers["allow"]) == (405, "POST")

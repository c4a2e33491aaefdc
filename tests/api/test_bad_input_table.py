"""Bad input, kind by kind, at every place of every operation where it fits: the places are read from the API's own description.

Whatever is sent: the stated status, a problem that names the place, no word of what was sent, no changed row, no 5xx. Kinds are numbered as
in the list of what is sent to services: D2 JSON, D3 shape, D4 texts, D5 numbers, D6 places, D7 times, D8 paths and queries, D10
conditions, D11 credentials; D1 is HTTP itself, spoken over a socket.
"""

import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
import sqlalchemy as sa
import uvicorn

from api import auth
from api.server import _ImpatientProtocol
from dispatch.service.keys import make_key
from dispatch.storage.base import Table
from dispatch.storage.database import Database
from dispatch.storage.registry import Registry
from routing.network import RoadNetwork
from tests.api.conftest import Service
from tests.servers import free_port

CANARY = "zq-canary-zq"
#: What no field of a kind takes. Kinds are told from the description: see `kind_of`.
REFUSED: dict[str, dict[str, Any]] = {
    "any": {"object": {"x": CANARY}, "list of one": [[CANARY]], "reference": {"$ref": CANARY}, "deep": [[[[[[CANARY]]]]]]},
    "line": {
        "number": 5, "true": True, "empty": "", "blank": "   ", "zero width": "\u200b", "null byte": f"{CANARY}\x00",
        "control": f"{CANARY}\x07", "escape": f"{CANARY}\x1b[31m", "newline": f"{CANARY}\nx", "tab": f"{CANARY}\tx",
        "line separator": f"{CANARY}\u2028x", "right to left": f"{CANARY}\u202e", "private": f"{CANARY}\ue000",
        "unassigned": f"{CANARY}\u0378", "surrogate": "\ud800", "long": CANARY * 50, "long once normalised": "\ufb2c" * 120,
    },
    "phone": {
        "letters": f"+33 {CANARY}", "short": "06", "long": "1" * 40, "header": f"0611223344\r\nBcc: {CANARY}", "empty": "",
        "number": 611223344,
    },
    "email": {"none": CANARY, "two @": f"{CANARY}@x@y.fr", "blank in it": f"{CANARY} x@y.fr", "header": f"{CANARY}@y.fr\r\nBcc: x@y.fr",
              "shown name": f"<{CANARY}@y.fr>", "long": f"{'a' * 250}@y.fr", "dots": f"{CANARY}@y..fr", "number": 5},
    "zone": {"unknown": CANARY, "path": "../../etc/passwd", "empty": "", "number": 5, "case": "EUROPE/PARIS"},
    "token": {"short": CANARY, "upper case": "A" * 64, "long": "a" * 65, "number": 5},
    "code": {"short": "12345", "letters": "12345x", "full width": "１２３４５６", "number": 123456},
    "password": {"number": 5, "endless": CANARY * 50, "empty": ""},
    "slug": {"upper case": "NORTH", "blank in it": f"{CANARY} x", "long": "x" * 41, "empty": "", "number": 5, "separator": f"{CANARY},x"},
    "integer": {
        "minus": -1, "text": "1", "float": 1.5, "exponent": "1e3", "true": True, "int4": 2**31, "int8": 2**63, "endless": 10**400,
        "grouped": "1_000", "hexadecimal": "0x10", "arabic": "١", "decimal comma": "1,5",
    },
    "number": {"minus": -1, "text": "1", "true": True, "not a number": "NaN", "infinite": "Infinity", "endless": 10**400},
    "boolean": {"one": 1, "zero": 0, "text": "true", "word": "yes"},
    "point": {
        "lat 91": [2.3, 91], "lon 181": [181, 46.3], "swapped": [46.3, 2.3], "zero": [0, 0], "one number": [2.3], "far": [2.9, 46.9],
        "three numbers": [2.3, 46.3, 0], "texts": ["2.3", "46.3"], "object": {"lon": 2.3, "lat": 46.3}, "true": [True, 46.3],
        "feature": {"type": "Point", "coordinates": [2.3, 46.3]}, "null in it": [None, 46.3], "text": CANARY, "endless": [10**400, 46.3],
    },
    "instant": {
        "naive": "2026-11-24T10:40:00", "date": "2026-11-24", "number": 1_795_000_000, "number as text": "1795000000", "30 February":
        "2026-02-30T10:00:00Z", "29 February of a common year": "2026-02-29T10:00:00Z", "24:01": "2026-11-24T24:01:00Z", "23:60":
        "2026-11-24T23:60:00Z", "leap second": "2026-11-24T23:59:60Z", "offset of 25 hours": "2026-11-24T10:40:00+25:00", "year 1":
        "0001-01-01T00:00:00Z", "year 9999": "9999-12-31T23:00:00Z", "zone by name": "2026-11-24T10:40:00[Europe/Paris]", "text": CANARY,
        "full width": "２０２６-11-24T10:40:00Z",
    },
    "date": {
        "french": "24/11/2026", "number": 5, "moment": "2026-11-24T10:00:00Z", "30 February": "2026-02-30", "year 9999": "9999-12-31",
        "text": CANARY,
    },
    "id": {"text": CANARY, "number": 5, "short": "00000000", "nobody's": "0f0f0f0f-aaaa-4bbb-8ccc-000000000000", "nil": str(UUID(int=0))},
    "choice": {"unknown": CANARY, "upper case": "OTHER ", "blank": "other ", "number": 5, "true": True, "empty": ""},
    "texts": {"text": CANARY, "number": 5, "numbers": [5], "upper case": [CANARY.upper()], "blank in it": ["a b"], "long": ["x" * 50],
              "many": ["cane"] * 31, "null in it": [None]},
    "object": {"text": CANARY, "list": [CANARY], "number": 5, "unknown field": {CANARY: 1}},
}  # fmt: skip
#: Which ids a description cannot tell from others: this field names something that may be left out, or anybody's.
FREE_IDS = {("create_key", "holder_id"), ("create_account", "holder_id")}
NAMES = {
    "name": "line",
    "phone": "phone",
    "email": "email",
    "timezone": "zone",
    "token": "token",
    "code": "code",
    "password": "password",
    "queue": "slug",
}


def kind_of(name: str, schema: dict[str, Any], components: dict[str, Any]) -> str:
    """Which kinds of wrong values fit a field."""
    if name in NAMES:
        return NAMES[name]
    choices = [part for part in schema.get("anyOf", [schema]) if part.get("type") != "null"]
    found = choices[0]
    found = components[found["$ref"].rsplit("/", 1)[-1]] if "$ref" in found else found
    if "enum" in found or "const" in found:
        return "choice"
    if found["type"] == "array":
        return (
            "texts"
            if found["items" if "items" in found and isinstance(found["items"], dict) else "type"] and "prefixItems" not in found
            else "point"
        )
    return {"date-time": "instant", "date": "date", "uuid": "id"}.get(found.get("format", ""), found["type"])


class Operation:
    """One of the API's, with a body that would be taken."""

    def __init__(self, service: Service, method: str, path: str, described: dict[str, Any]) -> None:
        self.service, self.method, self.path, self.described = service, method.upper(), path, described
        self.name: str = described["operationId"]
        allowed = auth.ALLOWED.get(self.name, frozenset({"coordinator"}))
        self.role = next(role for role in ("coordinator", "manager", "admin", "driver", "auditor") if role in allowed)

    def call(self, content: bytes | None = None, path: str | None = None, **headers: str) -> httpx2.Response:
        more = {"Content-Type": "application/json"} if content is not None else {}
        return self.service.call(
            self.role, self.method, path or self.filled(), content=content, headers={"If-Match": '"v1"', **more, **headers}
        )

    def filled(self, **changed: str) -> str:
        """The path, with somebody's ids."""
        volunteer, person = self.service.people[self.service.here.id]
        known = {"beneficiary_id": person, "volunteer_id": volunteer, **dict.fromkeys(self.ids, str(uuid4()))}
        known["territory_id"] = self.service.here.id
        known |= {name: str(value) for name, value in (("beneficiary_id", person), ("volunteer_id", volunteer)) if name in self.ids}
        return self.path.format(**{**known, **changed})

    @property
    def ids(self) -> list[str]:
        return [part.strip("{}") for part in self.path.split("/") if part.startswith("{")]

    @property
    def schema(self) -> dict[str, Any] | None:
        """Of the body."""
        content = self.described.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            return None
        components: dict[str, Any] = self.service.app.openapi()["components"]["schemas"]
        found: dict[str, Any] = components[content["schema"]["$ref"].rsplit("/", 1)[-1]]
        return found

    def body(self) -> dict[str, Any]:
        """What would be taken."""
        home = list(self.service.people_home)
        volunteer = str(self.service.people[self.service.here.id][0])
        return {
            "create_territory": {"name": f"Pays {uuid4()}"},
            "change_territory": {"name": "Pays", "policy": {}, "timetable": [], "queue": "rounds"},
            "add_availability": {"starts_at": "2026-12-01T10:00:00Z", "ends_at": "2026-12-01T11:00:00Z"},
            "create_trip_request": self.service.wish_of_mine,
            "create_round": {"date": "2026-11-25"},
            "create_key": {"role": "partner"},
            "create_account": {"role": "partner", "name": "Odette", "email": "odette@example.org"},
            "create_link": {"role": "driver", "holder_id": volunteer},
            "decline_offer": {"reason": "other"},
            "change_volunteer": {"name": "Odette", "home": home, "active": True},
            "log_in": {"email": "odette@example.org", "password": "of no use at all"},
            "open_account": {"token": "0" * 64, "password": "of no use at all"},
            "use_link": {"token": "0" * 64},
        }.get(self.name, {"name": "Odette", "home": home})


def operations(service: Service) -> list[Operation]:
    paths: dict[str, Any] = service.app.openapi()["paths"]
    return [
        Operation(service, method, path, described)
        for path, methods in paths.items()
        if path.startswith("/v1")
        for method, described in methods.items()
    ]


def counts(service: Service) -> dict[str, int]:
    """Rows by table."""
    with service.here.database._engine.connect() as connection:
        tables = Table.metadata.sorted_tables
        return {table.name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in tables}


def complaint(answer: httpx2.Response, statuses: set[int], pointer: str | None = None) -> str | None:
    """What is wrong with an answer, if anything."""
    if answer.status_code not in statuses:
        return f"{answer.status_code} {answer.text[:200]}"
    if answer.headers["content-type"] != "application/problem+json":
        return "is no problem+json"
    problem = answer.json()
    if len(answer.content) >= 2048:
        return f"is {len(answer.content)} bytes long"
    if CANARY in answer.text.replace(f'{CANARY}"', "") and pointer is not None and CANARY not in pointer:
        return "repeats what was sent"
    if pointer is not None and not any(
        found["pointer"].startswith(pointer) or found["pointer"] in ("", "the whole") for found in problem.get("errors", [])
    ):
        return f"names {[found['pointer'] for found in problem.get('errors', [])]}"
    return None


def encoded(body: Any) -> bytes:
    return json.dumps(body).encode()


def wrong_fields(operation: Operation) -> Iterator[tuple[str, str, bytes]]:
    """D3 to D7: every field of a body with everything that it must not be: kind, pointer, body."""
    schema, good = operation.schema, operation.body()
    assert schema is not None
    components = operation.service.app.openapi()["components"]["schemas"]
    for field, described in schema["properties"].items():
        kind = kind_of(field, described, components)
        values = dict(REFUSED[kind])
        values |= {} if kind in ("point", "object", "texts") else REFUSED["any"]
        for name, value in values.items():
            if kind == "id" and name in ("nobody's", "nil") and (operation.name, field) in FREE_IDS:
                continue
            if kind == "password" and operation.name == "log_in" and name not in ("number", "endless", "empty"):
                continue
            yield f"{field} ({kind}): {name}", field, encoded({**good, field: value})
        if field in schema.get("required", []):
            yield f"{field}: missing", field, encoded({key: value for key, value in good.items() if key != field})
            yield f"{field}: null", field, encoded({**good, field: None})
    for unknown in ("id", "territory_id", "state", "version", "locked", "__proto__", "a.b", CANARY):
        if unknown not in schema["properties"]:
            yield f"unknown field {unknown}", unknown, encoded({**good, unknown: "x"})


UNREADABLE: dict[str, tuple[bytes, set[int]]] = {
    "empty": (b"", {422}),
    "null": (b"null", {422}),
    "array": (b"[]", {422}),
    "string": (b'"x"', {422}),
    "number": (b"3", {422}),
    "truncated": (b'{"name": ', {400}),
    "text behind": (b'{"name": "x"} y', {400}),
    "comment": (b'{"name": "x" /* y */}', {400}),
    "single quotes": (b"{'name': 'x'}", {400}),
    "comma at the end": (b'{"name": "x",}', {400}),
    "a name twice": (b'{"name": "x", "name": "y"}', {400}),
    "NaN": (b'{"name": NaN}', {400}),
    "Infinity": (b'{"name": -Infinity}', {400}),
    "beyond floating point": (b'{"name": 1e999}', {400}),
    "depth 500": (b'{"name": ' + b"[" * 500 + b"]" * 500 + b"}", {400}),
    "depth 30,000": (b"[" * 30_000 + b"]" * 30_000, {400}),
    "a long text": (b'{"name": "' + b"x" * 100_000 + b'"}', {413}),
    "many names": (encoded({f"k{k}": 1 for k in range(2000)}), {422}),
    "no UTF-8": (b'{"name": "\xff\xfe"}', {400}),
    "overlong UTF-8": (b'{"name": "\xc0\xaf"}', {400}),
    "byte order mark": (b"\xef\xbb\xbf{}", {400}),
    "UTF-16": ('{"name": "x"}'.encode("utf-16"), {400}),
}
CONTENT_TYPES = {
    "none": "", "text": "text/plain", "form": "application/x-www-form-urlencoded", "multipart": "multipart/form-data; boundary=x", "xml":
    "application/xml", "merge-patch": "application/merge-patch+json", "utf-7": "application/json; charset=utf-7", "utf-16":
    "application/json; charset=utf-16",
}  # fmt: skip
PATHS = {
    "text": "x", "number": "1", "zeros": "0" * 36, "nil": str(UUID(int=0)), "null byte": "%00", "no such escape": "%zz",
    "up": "..%2f..%2fetc",
    "encoded twice": "%252e%252e", "endless": "a" * 5000, "braces only": "{}", "injection": "1%27%20OR%201=1--",
    "slash behind": f"{uuid4()}/",
}  # fmt: skip
QUERIES = {
    "limit": ["0", "-1", "201", "1e20", "x", "", "1_0", "10&limit=20"],
    "after": ["x", "", CANARY, str(UUID(int=0)) + "x"],
    "sort": ["secret_sha256"],
    "fields": ["name"],
    "offset": ["99999999999"],
    "filter": ["1 OR 1=1"],
}
TAGS = {
    "stale": '"v99"',
    "any": "*",
    "weak": 'W/"v1"',
    "bare": "v1",
    "several": '"v1", "v2"',
    "text": CANARY,
    "empty": '""',
    "long": f'"{"v" * 3000}"',
}


@pytest.fixture
def many(sqlite: Database, demo_roads: RoadNetwork) -> Service:
    """A service that may be called often."""
    return Service(sqlite, demo_roads, calls_per_minute=1_000_000)


def test_no_field_takes_what_it_must_not_be(many: Service) -> None:
    tried, wrong, before = 0, [], counts(many)
    with_body = [operation for operation in operations(many) if operation.schema]
    for operation in with_body:
        for what, pointer, body in wrong_fields(operation):
            refused = {404, 422} if "(id)" in what else {422}
            tried += 1
            if (told := complaint(operation.call(body), refused, None if "(id)" in what else pointer)) is not None:
                wrong.append(f"{operation.name}, {what}: {told}")
    assert not wrong, "\n".join(wrong)
    assert {**counts(many), "api_key": 0} == {**before, "api_key": 0}  # but for the callers' own keys
    assert len(with_body) >= 14
    assert tried > 700


def test_no_operation_takes_a_body_that_is_no_strict_json(many: Service) -> None:
    wrong = []
    for operation in operations(many):
        if operation.schema is None:
            continue
        for what, (body, statuses) in UNREADABLE.items():
            if (told := complaint(operation.call(body), statuses)) is not None:
                wrong.append(f"{operation.name}, {what}: {told}")
        for what, kind in CONTENT_TYPES.items():
            if (told := complaint(operation.call(encoded(operation.body()), **{"Content-Type": kind}), {415})) is not None:
                wrong.append(f"{operation.name}, {what}: {told}")
        if (told := complaint(operation.call(b"\x1f\x8b\x08", **{"Content-Encoding": "gzip"}), {415})) is not None:
            wrong.append(f"{operation.name}, packed: {told}")
    assert not wrong, "\n".join(wrong)


def test_no_path_and_no_query_leads_to_what_is_not_there(many: Service) -> None:
    wrong = []
    for operation in operations(many):
        for name in operation.ids:
            body = encoded(operation.body()) if operation.schema else None
            for what, text in PATHS.items():
                if (told := complaint(operation.call(body, operation.filled(**{name: text})), {404, 405})) is not None:
                    wrong.append(f"{operation.name}, {name}, {what}: {told}")
        known = {parameter["name"] for parameter in operation.described.get("parameters", []) if parameter["in"] == "query"}
        if operation.method != "GET" or "limit" not in known:
            continue
        for name, texts in QUERIES.items():
            for text in texts:
                told = complaint(operation.call(path=f"{operation.filled()}?{name}={text}"), {422, 404}, name)
                wrong += [f"{operation.name}, {name}={text}: {told}"] if told else []
        foreign = many.there.ask()  # a cursor of another territory
        if operation.call(path=f"{operation.filled()}?after={foreign}").status_code != 404:
            wrong.append(f"{operation.name}: goes on after something of another territory")
    assert not wrong, "\n".join(wrong)


def test_an_id_in_capitals_is_the_same_id(many: Service) -> None:
    person = str(many.people[many.here.id][1])
    assert many.call("coordinator", "GET", f"/v1/beneficiaries/{person.upper()}").json()["id"] == person


def test_no_change_without_the_version_that_was_read(many: Service) -> None:
    wrong, tried = [], 0
    for operation in operations(many):
        if not any(parameter["name"] == "If-Match" for parameter in operation.described.get("parameters", [])):
            continue
        body = encoded(operation.body()) if operation.schema else None
        for what, tag in TAGS.items():
            tried += 1
            if (told := complaint(operation.call(body, **{"If-Match": tag}), {412, 422} if what == "long" else {412})) is not None:
                wrong.append(f"{operation.name}, {what}: {told}")
        headers = {"Content-Type": "application/json"} if body else {}
        answer = many.call(operation.role, operation.method, operation.filled(), content=body, headers=headers)
        if (told := complaint(answer, {428})) is not None:
            wrong.append(f"{operation.name}, none: {told}")
    assert not wrong, "\n".join(wrong)
    assert tried >= 4 * len(TAGS)


def credentials(service: Service) -> dict[str, list[tuple[str, str]]]:
    """Headers that open nothing."""
    good = service.key("coordinator")
    with service.here.store() as store:
        registry = Registry(store.session)
        _, expired = make_key(registry, "coordinator", store, None, service.here.world, days=1)
        revoked_key, revoked = make_key(registry, "coordinator", store, None, service.here.world)
        revoked_key.revoked_at = service.here.world.now()
    prefix, secret = good.split("_")[1:]
    token = "eyJhbGciOiJub25lIn0.eyJyb2xlIjoibWFuYWdlciJ9."  # noqa: S105 # a signed token whose algorithm is "none"
    return {
        "none": [],
        "two": [("Authorization", f"Bearer {good}"), ("Authorization", f"Bearer {good}")],
        "another scheme": [("Authorization", f"Basic {good}")],
        "no scheme": [("Authorization", good)],
        "empty": [("Authorization", "Bearer ")],
        "expired": [("Authorization", f"Bearer {expired}")],
        "revoked": [("Authorization", f"Bearer {revoked}")],
        "wrong secret": [("Authorization", f"Bearer allons_{prefix}_{'0' * 40}")],
        "secret cut": [("Authorization", f"Bearer allons_{prefix}_{secret[:-1]}")],
        "prefix of another": [("Authorization", f"Bearer allons_{'0' * 12}_{secret}")],
        "unsigned token": [("Authorization", f"Bearer {token}")],
        "endless": [("Authorization", f"Bearer {'a' * 8000}")],
        "an invented cookie": [("Cookie", f"{auth.COOKIE}={'0' * 64}")],
        "an empty cookie": [("Cookie", f"{auth.COOKIE}=")],
        "key and cookie": [("Authorization", f"Bearer {good}"), ("Cookie", f"{auth.COOKIE}={'0' * 64}")],
    }


def test_nothing_but_a_valid_key_or_login_opens_an_operation(many: Service) -> None:
    bad, wrong = credentials(many), []
    many.here.world.advance(timedelta(days=2))
    for operation in operations(many):
        if operation.name in auth.OPEN:
            continue
        for what, headers in bad.items():
            answer = many.client.request(operation.method, operation.filled(), headers=headers)
            if (told := complaint(answer, {401})) is not None:
                wrong.append(f"{operation.name}, {what}: {told}")
        answer = many.client.request(operation.method, f"{operation.filled()}?key={many.key('coordinator')}")
        if answer.status_code != 401 or many.key("coordinator") in answer.text:
            wrong.append(f"{operation.name}: a key in the address")
    assert not wrong, "\n".join(wrong)


_JSON = b"Host: a\r\nContent-Type: application/json\r\n"
HTTP: dict[str, bytes] = {
    "no host": b"GET /livez HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a negative length": b"POST /v1/session HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "a length in words": b"POST /v1/session HTTP/1.1\r\nHost: a\r\nContent-Length: ten\r\n\r\n",
    "two lengths": b"POST /v1/session HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    "a wrong chunk": b"POST /v1/session HTTP/1.1\r\n" + _JSON + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "an endless chunk": b"POST /v1/session HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n",
    "an unknown transfer": b"POST /v1/session HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    "a long header": b"GET /livez HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 66_000 + b"\r\n\r\n",
    "many headers": b"GET /livez HTTP/1.1\r\nHost: a\r\n" + b"X-Y: zzzzzzzz\r\n" * 5000 + b"\r\n",
    "a null byte": b"GET /livez HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
    "a bare return": b"GET /livez HTTP/1.1\r\nHost: a\r\nX: y\rZ: w\r\n\r\n",
    "a long address": b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "an old protocol": b"GET /livez\r\n\r\n",
    "no method": b" /livez HTTP/1.1\r\nHost: a\r\n\r\n",
    "an unknown method": b"BREW /livez HTTP/1.1\r\nHost: a\r\n\r\n",
    "trace": b"TRACE /livez HTTP/1.1\r\nHost: a\r\n\r\n",
    "put where there is none": b"PUT /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    "an address with its host": b"GET http://evil.test/nothing HTTP/1.1\r\nHost: a\r\n\r\n",
    "a packed body": b"POST /v1/session HTTP/1.1\r\n" + _JSON + b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}",
    "a large body": b"POST /v1/session HTTP/1.1\r\n" + _JSON + b"Content-Length: 99999999\r\n\r\n{}",
    "a body longer than said": b"POST /v1/session HTTP/1.1\r\n" + _JSON + b"Content-Length: 2\r\n\r\n{}{}{}\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
}  # fmt: skip


@pytest.fixture
def port(many: Service) -> Iterator[int]:
    """The service on loopback, with the protocol it is served with."""
    port = free_port()
    own = {"http": _ImpatientProtocol, "log_level": "critical", "h11_max_incomplete_event_size": 32 * 1024}
    server = uvicorn.Server(uvicorn.Config(many.app, host="127.0.0.1", port=port, **own))  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield port
    server.should_exit = True
    thread.join()


def test_what_is_no_proper_http_is_refused_and_everybody_else_is_served(port: int) -> None:
    wrong = []
    for what, sent in HTTP.items():
        with socket.create_connection(("127.0.0.1", port), timeout=15) as connection:
            try:
                connection.sendall(sent)
                first = connection.recv(65_536)
            except ConnectionError:
                first = b""
        status = int(first.split(b" ", 2)[1]) if first.startswith(b"HTTP/1.1 ") else 0
        if first and status not in (400, 404, 405, 413, 415, 422, 431, 501):
            wrong.append(f"{what}: {first[:80]!r}")
        with socket.create_connection(("127.0.0.1", port), timeout=15) as connection:
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            if not connection.recv(65_536).startswith(b"HTTP/1.1 200"):
                wrong.append(f"{what}: nobody is served after it")
    assert not wrong, "\n".join(wrong)

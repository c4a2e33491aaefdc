"""Bad input, kind by kind, at every place of every operation where it fits: the places are read from the API's own description.

Whatever is sent: the stated status, which the description knows; a problem that names the place; no word of what was sent; no row of any
table that is not what it was; no 5xx. What is listed as taken is taken. D1, HTTP itself, is in test_bad_http.py, D11 in
test_bad_credentials.py.
"""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Any
from uuid import uuid4

import pytest

from dispatch.service.privacy import erase_person
from tests.api.conftest import Service
from tests.api.kinds import (
    CANARY,
    CONTENT_TYPES,
    FREE_IDS,
    IDEMPOTENCY_KEYS,
    PATHS,
    QUERIES,
    REFUSED,
    SAME_INSTANT,
    TAGS,
    TAKEN,
    UNREADABLE,
    kind_of,
    raw,
)
from tests.api.operations import Operation, complaint, digests, encoded, operations

BOMB = gzip.compress(b'{"name": "' + b" " * 50_000_000 + b'"}')


def prepared(service: Service) -> Service:
    """Keys of those who call are made before anything is compared."""
    for operation in operations(service):
        service.key(operation.role)
    assert service.series_id
    return service


@pytest.fixture
def many(many: Service) -> Service:
    return prepared(many)


@pytest.fixture(scope="module")
def lasting(lasting: Service) -> Service:
    """Nothing of it is changed, which is what is looked at."""
    return prepared(lasting)


def fields(operation: Operation) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Path, description and a body maker of every field, with those of objects in it."""
    assert operation.schema is not None
    components = operation.schemas
    for field, described in operation.schema["properties"].items():
        yield field, described, lambda value, field=field: {**operation.body(), field: value}
        if kind_of(field, described, components) == "object":
            inner = components[described.get("anyOf", [described])[0]["$ref"].rsplit("/", 1)[-1]]
            for name, told in inner["properties"].items():
                yield f"{field}.{name}", told, lambda value, field=field, name=name: {**operation.body(), field: {name: value}}


def wrong_fields(operation: Operation) -> Iterator[tuple[str, str, bytes]]:
    """D3 to D7: every field of a body with everything that it must not be: kind, pointer, body."""
    schema, good = operation.schema, operation.body()
    assert schema is not None
    components = operation.schemas
    for field, described, with_value in fields(operation):
        kind = kind_of(field, described, components)
        values = dict(REFUSED[kind]) | ({} if kind in ("point", "object", "texts") else REFUSED["any"])
        if kind == "choice":
            values |= {f"{choice} in capitals": choice.upper() for choice in choices(described, components)}
        for name, value in values.items():
            if kind == "id" and name in ("nobody's", "nil") and (operation.name, field) in FREE_IDS:
                continue
            told = f"{field}.{CANARY}" if kind == "object" and name == "unknown field" else field
            yield f"{field} ({kind}): {name}", told, encoded(with_value(value))
        if field in schema.get("required", []):
            yield f"{field}: missing", field, encoded({key: value for key, value in good.items() if key != field})
            yield f"{field}: null", field, encoded({**good, field: None})
    for unknown in ("id", "territory_id", "state", "version", "locked", "role", "entered_by", "__proto__", "a.b", CANARY):
        if unknown not in schema["properties"]:
            yield f"unknown field {unknown}", unknown, encoded({**good, unknown: "x"})


def choices(described: dict[str, Any], components: dict[str, Any]) -> list[str]:
    found = next(part for part in described.get("anyOf", [described]) if part.get("type") != "null")
    found = components[found["$ref"].rsplit("/", 1)[-1]] if "$ref" in found else found
    return list(found.get("enum", [found.get("const")]))


def changed(service: Service, before: dict[str, str]) -> list[str]:
    return [table for table, digest in digests(service).items() if digest != before[table]]


def with_bodies(service: Service) -> list[Operation]:
    return [operation for operation in operations(service) if operation.schema]


def test_no_field_takes_what_it_must_not_be(lasting: Service) -> None:
    tried, wrong, before = 0, [], digests(lasting)
    models: set[str] = set()
    for operation in with_bodies(lasting):
        tries = list(wrong_fields(operation))
        if operation.model in models:  # read by the same code as another's body: once more each field, with one value
            tries = list({pointer: (what, pointer, body) for what, pointer, body in tries}.values())
        models.add(operation.model)
        for what, pointer, body in tries:
            tried += 1
            answer = operation.call(body)
            later = "(id)" in what or (operation.ids and (what.endswith(": past") or "(point)" in what))  # found out when it was looked for
            told = complaint(answer, {404, 422}, None) if later and answer.status_code == 404 else complaint(answer, {422}, pointer)
            wrong += [f"{operation.name}, {what}: {told}"] if told else []
        wrong += [f"{operation.name} has changed {table}" for table in changed(lasting, before)]
    assert not wrong, "\n".join(wrong)
    assert len(with_bodies(lasting)) >= 14
    assert tried > 1100


def test_a_field_that_is_taken_or_a_row_that_is_changed_would_be_found(many: Service) -> None:
    before = digests(many)
    (operation,) = (operation for operation in operations(many) if operation.name == "create_beneficiary")
    taken = operation.call(encoded(operation.body()))
    assert complaint(taken, {422}) is not None
    assert {"beneficiary", "person", "person_key", "access", "reply"} == set(changed(many, before))
    echo = many.client.get("/v1/beneficiaries", headers={"Authorization": "x"})
    echo._content = echo.content.replace(b'"detail":"', f'"detail":"{CANARY} '.encode())
    assert complaint(echo, {401}) == "repeats what was sent"


def test_names_as_people_have_them_are_taken_everywhere_and_stay_as_they_are(many: Service) -> None:
    named = [operation for operation in with_bodies(many) if "name" in (operation.schema or {})["properties"]]
    assert len(named) >= 6
    for (what, text), operation in product(TAKEN.items(), named):
        mail = {"email": f"{uuid4().hex}@example.org"} if operation.name == "create_account" else {}
        new = {"beneficiary_id": many.here.person, "volunteer_id": lambda: many.here.volunteer(span=None)}
        path = operation.filled(**{name: str(new[name]()) for name in operation.ids if name in new})
        name, based_on = text, '"v1"'
        if operation.name == "change_territory":  # no two have the same name, and it is the same one each time
            with many.here.store() as store:
                name, based_on = f"{text[:199]}2", f'"v{store.territory().version}"'
        answer = operation.call(encoded({**operation.body(), "name": name, **mail}), path, **{"If-Match": based_on})
        assert answer.status_code in (200, 201), (operation.name, what, answer.text)
        assert answer.json()["name"] == name, (operation.name, what)


def test_an_instant_may_be_written_in_many_ways(many: Service) -> None:
    for written in SAME_INSTANT:
        wish = many.wish(beneficiary_id=str(many.here.person()), arrive_by=written, return_after=None)
        asked = many.call("coordinator", "POST", "/v1/trip-requests", json=wish)
        assert asked.status_code == 202, (written, asked.text)
        assert datetime.fromisoformat(asked.json()["arrive_by"]) == datetime(2026, 11, 25, 9, 40, tzinfo=UTC), written


def test_midnight_and_the_hour_that_is_there_twice_are_taken_with_their_offset(many: Service) -> None:
    """The API takes no local times: an hour that is skipped or repeated cannot be meant by mistake."""
    volunteer = many.people[many.here.id][0]
    spans = [
        ("2026-11-25T23:30:00+01:00", "2026-11-26T00:30:00+01:00"),
        ("2026-12-02T00:00:00+01:00", "2026-12-03T00:00:00+01:00"),
        ("2027-10-31T02:30:00+02:00", "2027-10-31T02:30:00+01:00"),  # one hour
    ]
    for starts, ends in spans:
        sent = {"starts_at": starts, "ends_at": ends}
        assert many.call("coordinator", "POST", f"/v1/volunteers/{volunteer}/availability", json=sent).status_code == 201, starts
    for offset, hour in (("+02:00", 0), ("+01:00", 1)):
        wish = many.wish(arrive_by=f"2027-10-31T02:30:00{offset}", return_after=None)
        asked = many.call("coordinator", "POST", "/v1/trip-requests", json=wish)
        assert asked.status_code == 202, asked.text
        assert datetime.fromisoformat(asked.json()["arrive_by"]) == datetime(2027, 10, 31, hour, 30, tzinfo=UTC)
    naive = many.wish(arrive_by="2027-03-28T02:30:00", return_after=None)  # skipped
    assert complaint(many.call("coordinator", "POST", "/v1/trip-requests", json=naive), {422}, "arrive_by") is None


def test_numbers_that_say_the_same_are_taken_and_places_are_kept_to_a_centimetre(many: Service) -> None:
    lon, lat = many.people_home
    for home in ([lon + 1e-9, lat - 1e-9], [lon, lat], [raw(f"{lon * 10}e-1"), lat]):
        body = {"name": "Odette", "home": home, "boot": raw("-0"), "load_minutes": 0}
        made = many.call("coordinator", "POST", "/v1/beneficiaries", content=encoded(body), headers={"Content-Type": "application/json"})
        assert made.status_code == 201, made.text
        assert (made.json()["home"], made.json()["boot"]) == ([round(lon, 7), round(lat, 7)], 0)


def test_a_ride_goes_somewhere_else_and_is_asked_for_once(lasting: Service) -> None:
    lon, lat = lasting.people_home
    before = digests(lasting)
    for there in ([lon, lat], [lon + 1e-9, lat]):
        same = lasting.wish(origin=[lon, lat], destination=there)
        assert complaint(lasting.call("coordinator", "POST", "/v1/trip-requests", json=same), {422}, "destination") is None
    assert changed(lasting, before) == []


def test_no_operation_takes_a_body_that_is_no_strict_json(lasting: Service) -> None:
    wrong, before = [], digests(lasting)
    for operation in with_bodies(lasting):
        sent: list[tuple[str, bytes, set[int], dict[str, str]]] = [(what, *told, {}) for what, told in UNREADABLE.items()]
        good = encoded(operation.body())
        sent += [(what, good, {415}, {"Content-Type": kind}) for what, kind in CONTENT_TYPES.items()]
        packed = {"Content-Encoding": "gzip"}
        sent += [("packed", gzip.compress(good), {415}, packed), ("bomb", BOMB, {413, 415}, packed)]
        sent += [(coding, good, {415}, {"Content-Encoding": coding}) for coding in ("br", "zstd", "deflate", CANARY)]
        optional = not operation.described["requestBody"].get("required", False)
        for what, body, statuses, headers in sent:
            if optional and what in ("empty", "null"):  # nothing is as good as the default
                continue
            told = complaint(operation.call(body, **headers), statuses)
            wrong += [f"{operation.name}, {what}: {told}"] if told else []
        wrong += [f"{operation.name} has changed {table}" for table in changed(lasting, before)]
    assert not wrong, "\n".join(wrong)


def test_no_path_and_no_query_leads_to_what_is_not_there(lasting: Service) -> None:
    gone = {"beneficiary_id": lasting.here.person(), "volunteer_id": lasting.here.volunteer(span=None)}
    with lasting.here.store() as store:
        for person in gone.values():
            erase_person(store, store.file_of(person), lasting.here.world)
    volunteer, person = lasting.people[lasting.there.id]
    foreign = {"beneficiary_id": person, "volunteer_id": volunteer, "request_id": lasting.there.ask(), "territory_id": lasting.there.id}
    wrong, before = [], digests(lasting)
    for operation in operations(lasting):
        body = operation.sent()
        for name in operation.ids:
            paths = {**PATHS, **{what: str(ids[name]) for what, ids in (("erased", gone), ("foreign", foreign)) if name in ids}}
            for what, text in paths.items():
                told = complaint(operation.call(body, operation.filled(**{name: text})), {404, 405})
                wrong += [f"{operation.name}, {name}, {what}: {told}"] if told else []
        known = {parameter["name"] for parameter in operation.described.get("parameters", []) if parameter["in"] == "query"}
        if operation.name == "finish_oidc":  # takes what providers add
            continue
        for name, texts in QUERIES.items():
            for text in texts:
                answer = operation.call(body, f"{operation.filled()}?{name}={text}")
                told = complaint(answer, {422}, name)
                wrong += [f"{operation.name}, {name}={text}: {told}"] if told else []
        if "after" in known:
            for what, cursor in (("foreign", foreign["request_id"]), ("foreign person", person), ("absent", uuid4())):
                told = complaint(operation.call(path=f"{operation.filled()}?after={cursor}"), {404})
                wrong += [f"{operation.name}, after something {what}: {told}"] if told else []
        wrong += [f"{operation.name} has changed {table}" for table in changed(lasting, before)]
    assert not wrong, "\n".join(wrong)


def test_an_id_in_capitals_is_the_same_id(lasting: Service) -> None:
    person = str(lasting.people[lasting.here.id][1])
    assert lasting.call("coordinator", "GET", f"/v1/beneficiaries/{person.upper()}").json()["id"] == person


def test_no_change_without_the_version_that_was_read(lasting: Service) -> None:
    wrong, tried, before = [], 0, digests(lasting)
    for operation in operations(lasting):
        if not any(parameter["name"] == "If-Match" for parameter in operation.described.get("parameters", [])):
            continue
        body = operation.sent()
        for what, tag in TAGS.items():
            tried += 1
            told = complaint(operation.call(body, **{"If-Match": tag}), {422} if what == "long" else {412})
            wrong += [f"{operation.name}, {what}: {told}"] if told else []
        headers = {"Content-Type": operation.form} if operation.form else {}
        answer = lasting.call(operation.role, operation.method, operation.filled(), content=body, headers=headers)
        if (told := complaint(answer, {428})) is not None:
            wrong.append(f"{operation.name}, none: {told}")
    assert not wrong, "\n".join(wrong)
    assert changed(lasting, before) == []
    assert tried >= 4 * len(TAGS)


def creating_calls(service: Service) -> list[Operation]:
    """Those that take an Idempotency-Key."""
    return [
        operation
        for operation in operations(service)
        if any(parameter["name"] == "Idempotency-Key" for parameter in operation.described.get("parameters", []))
    ]


def test_no_creating_call_without_a_key_of_its_own(lasting: Service) -> None:
    creating = creating_calls(lasting)
    names = {operation.name for operation in operations(lasting) if operation.name.startswith("create_")}
    others = {"add_availability", "add_absence", "add_credential", "renew_account_link"}
    others |= {"import_volunteers", "import_beneficiaries", "import_trip_requests"}
    assert names | others == {operation.name for operation in creating}
    wrong, before = [], digests(lasting)
    for operation in creating:
        body = operation.sent()
        for what, key in IDEMPOTENCY_KEYS.items():
            headers: dict[str, Any] = {"Authorization": f"Bearer {lasting.key(operation.role)}", "Content-Type": operation.form or ""}
            headers |= {} if key is None else {"Idempotency-Key": key}
            answer = lasting.client.request(operation.method, operation.filled(), content=body, headers=headers)
            told = complaint(answer, {422}, "Idempotency-Key")
            wrong += [f"{operation.name}, {what}: {told}"] if told else []
    assert not wrong, "\n".join(wrong)
    assert changed(lasting, before) == []


def test_a_key_stands_for_one_request_of_one_caller_everywhere(many: Service) -> None:
    odile = {"role": "partner", "name": "Odile", "email": "odile@example.org"}
    account = many.call("manager", "POST", "/v1/accounts", json=odile).json()["id"]
    kept: dict[str, str] = {}
    for operation in creating_calls(many):
        body = operation.sent() or b""
        once = {"Idempotency-Key": f"for-{operation.name}"}
        path = operation.filled(**({"account_id": account} if "account_id" in operation.ids else {}))
        first = operation.call(body, path, **once)
        assert first.status_code < 300, (operation.name, first.text)
        before = digests(many)
        again = operation.call(body, path, **once)
        assert (again.status_code, again.headers["idempotency-replayed"]) == (first.status_code, "true"), operation.name
        other = operation.call(body[:-1] + b" }" if body else b"{}", path, **once)
        assert complaint(other, {422}) is None, operation.name
        assert "key_reused" in other.text
        elsewhere = operation.call(body, f"{path}?", **once)  # the same address
        assert elsewhere.status_code == first.status_code
        assert changed(many, before) == [], operation.name
        kept[operation.name] = once["Idempotency-Key"]
    known = {"Idempotency-Key": kept["create_beneficiary"]}
    reused = many.call("coordinator", "POST", "/v1/trip-requests", json=many.wish(), headers=known)
    assert (reused.status_code, "key_reused" in reused.text) == (422, True)
    other = many.call("manager", "POST", "/v1/rounds", json={"date": "2026-11-25"}, headers=known)
    assert other.status_code == 202  # of another caller


def test_conditions_that_are_not_offered_change_nothing(many: Service) -> None:
    """Answers are not cached: whoever reads gets the whole of what is there now."""
    person = f"/v1/beneficiaries/{many.people[many.here.id][1]}"
    for name, value in (
        ("Range", "bytes=0-3"), ("If-None-Match", '"v1"'), ("If-None-Match", "*"), ("If-None-Match", CANARY), ("If-Modified-Since", CANARY),
        ("If-Modified-Since", "Wed, 25 Nov 2099 10:00:00 GMT"), ("If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:00 GMT"),
    ):  # fmt: skip
        headers = {name: value}
        plain, asked = many.call("coordinator", "GET", person), many.call("coordinator", "GET", person, headers=headers)
        assert (asked.status_code, asked.content) == (plain.status_code, plain.content), headers
        made = many.call("coordinator", "POST", "/v1/beneficiaries", json={"name": "Odette", "home": many.people_home}, headers=headers)
        assert made.status_code == 201, headers

"""Logging in: what lets somebody in does so once or for a time, and tells nobody else anything."""

import statistics
import time
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pyotp
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from api.auth import COOKIE
from dispatch.service import accounts
from dispatch.service.accounts import csrf_token
from dispatch.service.privacy import erase_person
from dispatch.storage.accounts import Accounts
from dispatch.storage.base import Table
from dispatch.storage.registry import Registry
from tests.api.conftest import Service

PASSWORD = "un chat dort sur le toit"  # noqa: S105
HOST = "https://allons.test"


class Browser:
    """Keeps cookies, and sends what a page of the service would send with every change."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.client = TestClient(service.app, base_url=HOST, raise_server_exceptions=False)
        self.csrf = ""

    def post(self, path: str, **sent: Any) -> httpx2.Response:
        headers = {"X-CSRF-Token": self.csrf, "Idempotency-Key": str(uuid4()), "Origin": HOST, **sent.pop("headers", {})}
        answer = self.client.request(sent.pop("method", "POST"), path, headers=headers, **sent)
        if answer.status_code == 200 and path.startswith("/v1/session") and "csrf_token" in answer.json():
            self.csrf = answer.json()["csrf_token"]
        return answer

    def code(self, secret: str, late_s: int = 0) -> str:
        return str(pyotp.TOTP(secret).at(self.service.parts.world.now() + timedelta(seconds=late_s)))


class Person:
    """Somebody with an account."""

    def __init__(self, service: Service, role: str = "coordinator", holder: UUID | None = None) -> None:
        self.service, self.email = service, f"{uuid4().hex}@example.org"
        sent: dict[str, Any] = {"role": role, "name": "Canary Dubois", "email": self.email}
        made = service.call("manager", "POST", "/v1/accounts", json=sent | ({"holder_id": str(holder)} if holder else {}))
        assert made.status_code == 201, made.text
        self.id, self.token = made.json()["id"], made.json()["link_token"]
        self.browser = Browser(service)

    def open(self) -> "Person":
        answer = self.browser.post("/v1/session/password", json={"token": self.token, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        uri = answer.json()["totp_uri"]
        self.secret = pyotp.parse_uri(uri).secret if uri else ""
        return self

    def log_in(self, **other: Any) -> httpx2.Response:
        given = {"email": self.email, "password": PASSWORD} | ({"code": self.browser.code(self.secret)} if self.secret else {}) | other
        return self.browser.post("/v1/session", json={name: value for name, value in given.items() if value is not None})


@pytest.fixture
def claire(service: Service) -> Person:
    return Person(service).open()


def advance(service: Service, **step: float) -> None:
    service.here.world.advance(timedelta(**step))


def test_a_coordinator_opens_the_account_logs_in_works_and_logs_out(service: Service, claire: Person) -> None:
    answer = claire.log_in()
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Max-Age" not in cookie
    assert claire.browser.client.get("/v1/session").json()["role"] == "coordinator"
    assert claire.browser.client.get("/v1/volunteers").status_code == 200
    made = claire.browser.post("/v1/beneficiaries", json={"name": "Odette", "home": list(service.here.point())})
    assert made.status_code == 201
    log = service.call("manager", "GET", "/v1/accesses").json()["items"]
    assert claire.id in {row["actor_id"] for row in log if row["subject_id"] == made.json()["id"]}
    token = claire.browser.client.cookies[COOKIE]
    assert claire.browser.post("/v1/session", method="DELETE").status_code == 204
    assert claire.browser.client.get("/v1/volunteers").status_code == 401
    assert service.client.get("/v1/volunteers", headers={"Cookie": f"{COOKIE}={token}"}).status_code == 401


def test_staff_need_the_code_and_no_code_works_twice(claire: Person) -> None:
    asked = claire.log_in(code=None)
    assert (asked.status_code, asked.json()["type"]) == (401, "urn:allons:error:code_needed")
    code = claire.browser.code(claire.secret)
    assert claire.log_in(code=f"{(int(code) + 1) % 10**6:06}").status_code == 401
    assert claire.log_in(code=code).status_code == 200
    assert claire.log_in(code=code).status_code == 401
    assert claire.log_in(code=claire.browser.code(claire.secret, 30)).status_code == 200
    assert claire.log_in(code=claire.browser.code(claire.secret, 0)).status_code == 401
    assert claire.log_in(code=claire.browser.code(claire.secret, 120)).status_code == 401


def test_a_volunteer_needs_no_code_and_stays_logged_in_on_the_own_phone(service: Service) -> None:
    volunteer, _ = service.people[service.here.id]
    jean = Person(service, "driver", volunteer).open()
    assert jean.secret == ""
    answer = jean.log_in()
    assert answer.status_code == 200
    assert "Max-Age" in answer.headers["set-cookie"]
    advance(service, days=20)
    assert jean.browser.client.get(f"/v1/volunteers/{volunteer}").json()["name"] == "Canary Morel"
    advance(service, days=20)
    assert jean.browser.client.get(f"/v1/volunteers/{volunteer}").status_code == 200
    advance(service, days=31)
    assert jean.browser.client.get(f"/v1/volunteers/{volunteer}").status_code == 401


def test_staff_are_logged_out_after_half_an_hour_without_a_call_and_after_twelve_hours(service: Service, claire: Person) -> None:
    claire.log_in()
    for _ in range(25):
        advance(service, minutes=28)
        assert claire.browser.client.get("/v1/session").status_code == 200
    advance(service, minutes=28)
    assert claire.browser.client.get("/v1/session").status_code == 401
    claire.log_in()
    advance(service, minutes=31)
    assert claire.browser.client.get("/v1/session").status_code == 401


CHANGES: dict[str, dict[str, str]] = {
    "no token": {"X-CSRF-Token": ""},
    "a wrong token": {"X-CSRF-Token": "0" * 64},
    "another login's token": {"X-CSRF-Token": csrf_token("1" * 64)},
    "a page of another site": {"Origin": "https://evil.test"},
    "a page in a frame without origin": {"Origin": "null"},
    "this host, another port": {"Origin": f"{HOST}:8443"},
}


@pytest.mark.parametrize("headers", CHANGES.values(), ids=CHANGES.keys())
def test_another_site_changes_nothing_with_somebodys_cookie(service: Service, claire: Person, headers: dict[str, str]) -> None:
    claire.log_in()
    person = {"name": "Odette", "home": list(service.here.point())}
    assert claire.browser.post("/v1/beneficiaries", json=person, headers=headers).status_code == 403
    assert claire.browser.client.get("/v1/beneficiaries").json()["items"][0]["name"] != "Odette"
    assert claire.browser.post("/v1/beneficiaries", json=person).status_code == 201


def test_a_key_and_a_login_at_once_are_refused(service: Service, claire: Person) -> None:
    claire.log_in()
    headers = {"Authorization": f"Bearer {service.key('coordinator')}"}
    assert claire.browser.client.get("/v1/volunteers", headers=headers).status_code == 401


def test_a_cookie_that_was_there_before_logging_in_is_worth_nothing(service: Service, claire: Person) -> None:
    claire.browser.client.cookies.set(COOKIE, "a" * 64, domain="allons.test")
    claire.log_in()
    assert service.client.get("/v1/session", headers={"Cookie": f"{COOKIE}={'a' * 64}"}).status_code == 401
    tokens = set()
    for _ in range(3):
        advance(service, minutes=1)
        claire.log_in()
        tokens.add(claire.browser.client.cookies.get(COOKIE, domain="allons.test"))
    assert len(tokens) == 3


@pytest.mark.parametrize("which", ["used", "too old", "made anew", "invented"])
def test_a_link_opens_an_account_once_and_not_for_ever(service: Service, which: str) -> None:
    person = Person(service)
    token = "0" * 64 if which == "invented" else person.token
    if which == "used":
        person.open()
    if which == "too old":
        advance(service, days=3, minutes=1)
    if which == "made anew":
        newer = service.call("manager", "POST", f"/v1/accounts/{person.id}/link").json()["link_token"]
    sent = {"token": token, "password": "another good password"}
    assert person.browser.post("/v1/session/password", json=sent).status_code == 401
    if which == "made anew":
        assert person.browser.post("/v1/session/password", json={**sent, "token": newer}).status_code == 200


def test_a_new_password_logs_everybody_out_and_changes_the_second_factor(service: Service, claire: Person) -> None:
    claire.log_in()
    claire.token = service.call("manager", "POST", f"/v1/accounts/{claire.id}/link").json()["link_token"]
    old = claire.secret
    claire.open()
    assert claire.browser.client.get("/v1/session").status_code == 401
    advance(service, minutes=2)
    assert claire.log_in(code=claire.browser.code(old)).status_code == 401
    assert claire.log_in().status_code == 200


def test_an_account_that_ends_is_out_at_once_and_nobody_knows_whose_it_was(service: Service, claire: Person) -> None:
    claire.log_in()
    assert service.call("manager", "DELETE", f"/v1/accounts/{claire.id}").status_code == 204
    assert claire.browser.client.get("/v1/session").status_code == 401
    advance(service, minutes=2)
    assert claire.log_in().status_code == 401
    assert service.call("manager", "DELETE", f"/v1/accounts/{claire.id}").status_code == 404
    assert claire.email not in service.call("manager", "GET", "/v1/accounts").text
    with service.here.store() as store:
        assert store.identities([UUID(claire.id)])[UUID(claire.id)].email is None


def test_somebody_without_an_account_is_let_in_once_by_a_link(service: Service) -> None:
    volunteer, person = service.people[service.here.id]
    for role, holder, path in (
        ("driver", volunteer, f"/v1/volunteers/{volunteer}"),
        ("beneficiary", person, f"/v1/beneficiaries/{person}"),
    ):
        made = service.call("coordinator", "POST", "/v1/links", json={"role": role, "holder_id": str(holder), "hours": 2})
        assert made.status_code == 201, made.text
        browser = Browser(service)
        assert browser.post("/v1/session/link", json={"token": made.json()["link_token"]}).status_code == 200
        assert browser.client.get(path).status_code == 200
        assert browser.client.get("/v1/volunteers").status_code == 403
        assert Browser(service).post("/v1/session/link", json={"token": made.json()["link_token"]}).status_code == 401
        with service.here.store() as store:
            erase_person(store, store.file_of(holder), service.here.world)
        assert browser.client.get("/v1/session").status_code == 401


def linked(service: Service, role: str, holder: UUID) -> tuple[Browser, str]:
    """Somebody who came by a link, and another link that nobody has used."""
    sent = {"role": role, "holder_id": str(holder)}
    used, unused = (service.call("coordinator", "POST", "/v1/links", json=sent).json()["link_token"] for _ in range(2))
    browser = Browser(service)
    assert browser.post("/v1/session/link", json={"token": used}).status_code == 200
    return browser, unused


@pytest.mark.parametrize("how", ["by hand", "not active"])
def test_staff_end_what_a_link_has_begun(service: Service, how: str) -> None:
    volunteer, person = service.people[service.here.id]
    (driver, unused), (rider, _) = linked(service, "driver", volunteer), linked(service, "beneficiary", person)
    account = Person(service, "driver", volunteer).open()
    account.log_in()
    path = f"/v1/volunteers/{volunteer}"
    if how == "by hand":
        assert service.call("coordinator", "DELETE", f"{path}/logins").status_code == 204
    else:
        read = service.call("coordinator", "GET", path)
        sent = {"name": "Canary Morel", "home": list(service.people_home), "active": False}
        assert service.call("coordinator", "PUT", path, json=sent, headers={"If-Match": read.headers["ETag"]}).status_code == 200
    assert [browser.client.get("/v1/session").status_code for browser in (driver, account.browser, rider)] == [401, 401, 200]
    assert Browser(service).post("/v1/session/link", json={"token": unused}).status_code == 401
    assert service.call("coordinator", "DELETE", f"/v1/beneficiaries/{person}/logins").status_code == 204
    assert rider.client.get("/v1/session").status_code == 401


def test_who_acted_after_coming_by_a_link_is_known_when_the_link_is_forgotten(service: Service) -> None:
    volunteer, _ = service.people[service.here.id]
    browser, _ = linked(service, "driver", volunteer)
    assert browser.client.get(f"/v1/volunteers/{volunteer}").status_code == 200
    advance(service, days=200)
    with service.here.database.write() as session:
        Accounts(session).forget(service.here.world.now())

    def log(subject: object) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = service.call("manager", "GET", f"/v1/accesses?subject_id={subject}").json()["items"]
        return items

    acts = (("read", "volunteer"), ("made", "login"))
    read, entered = (next(row for row in log(volunteer) if (row["act"], row["kind"]) == act) for act in acts)
    assert read["actor_id"] == entered["actor_id"]  # the link, which came in as this volunteer,
    (made,) = log(read["actor_id"])  # and was made by this coordinator
    assert (made["act"], made["kind"]) == ("made", "link")
    with service.here.store() as store:
        assert made["actor_id"] == str(Registry(store.session).key(service.key("coordinator").split("_")[1]).id)  # type: ignore[union-attr]


def test_a_link_of_an_account_logs_nobody_in_by_itself(service: Service) -> None:
    person = Person(service)
    assert person.browser.post("/v1/session/link", json={"token": person.token}).status_code == 401


def test_one_address_has_one_account_and_its_case_is_the_same(service: Service, claire: Person) -> None:
    sent = {"role": "coordinator", "name": "Claire", "email": claire.email.upper()}
    assert service.call("manager", "POST", "/v1/accounts", json=sent).status_code == 409
    assert claire.log_in(email=claire.email.upper()).status_code == 200


@pytest.mark.parametrize(
    "email", ["claire", "a@b", "a@@b.fr", "a b@c.fr", "a@b..fr", "a@b.fr\r\nBcc: c@d.fr", f"{'a' * 65}@b.fr", "é@b.fr", ""]
)
def test_what_is_no_address_is_refused(service: Service, email: str) -> None:
    answer = service.call("manager", "POST", "/v1/accounts", json={"role": "coordinator", "name": "Claire", "email": email})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "email"


@pytest.mark.parametrize("password", ["court", "a" * 11, "a" * 201])
def test_a_password_that_is_too_short_or_endless_is_refused_and_the_link_still_works(service: Service, password: str) -> None:
    person = Person(service)
    answer = person.browser.post("/v1/session/password", json={"token": person.token, "password": password})
    assert answer.status_code == 422
    assert password not in answer.text
    person.open()


def test_nobody_is_told_whether_an_address_has_an_account(service: Service, claire: Person) -> None:
    ended, unopened = Person(service).open(), Person(service)
    service.call("manager", "DELETE", f"/v1/accounts/{ended.id}")
    answers = [
        claire.log_in(password="wrong wrong wrong"),
        claire.log_in(email="nobody@example.org"),
        claire.log_in(email=ended.email),
        claire.log_in(email=unopened.email),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({str({**answer.json(), "instance": ""}) for answer in answers}) == 1


@pytest.mark.slow
def test_unknown_and_known_addresses_take_the_same_time(service: Service, claire: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(service.parts.throttle), "take", lambda *_: None)

    def took(**other: Any) -> float:
        began = time.perf_counter()
        assert claire.log_in(password="wrong wrong wrong", **other).status_code == 401
        return time.perf_counter() - began

    pairs = [(took(), took(email="nobody@example.org")) for _ in range(150)]
    known, unknown = (statistics.median(column) for column in zip(*pairs, strict=True))
    assert abs(known / unknown - 1) < 0.1, (known, unknown)


def test_the_eleventh_try_within_a_quarter_of_an_hour_waits_and_others_do_not(service: Service, claire: Person) -> None:
    for _ in range(10):
        assert claire.log_in(password="wrong wrong wrong").status_code == 401
    answer = claire.log_in()
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert Person(service).open().log_in().status_code == 200


def test_who_tries_many_accounts_from_one_address_waits(service: Service, claire: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    cheap = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)).hash("nobody's")
    monkeypatch.setattr(accounts, "_nobodys_hash", lambda: cheap)  # what is counted are the tries, not what they cost
    codes = [claire.log_in(email=f"{k}@example.org").status_code for k in range(61)]
    assert codes == [401] * 60 + [429]
    assert claire.log_in().status_code == 429


def test_a_key_that_calls_too_often_waits(service: Service) -> None:
    service.parts.settings.calls_per_minute = 10
    codes = [service.call("partner", "GET", "/v1/trip-requests").status_code for _ in range(12)]
    assert codes == [200] * 10 + [429] * 2
    assert service.call("coordinator", "GET", "/v1/trip-requests").status_code == 200


def test_neither_address_nor_password_nor_token_is_kept_as_it_is(
    service: Service, claire: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    claire.log_in()
    token = claire.browser.client.cookies[COOKIE]
    with service.here.database._engine.connect() as connection:
        kept = "".join(str(row) for table in Table.metadata.sorted_tables for row in connection.execute(sa.select(table)))
    assert "$argon2id$" in kept
    told = "".join(capsys.readouterr())
    assert "route=log_in" in told
    for secret in (claire.email, claire.email.upper(), PASSWORD, claire.secret, claire.token, token, "Canary Dubois"):
        assert secret not in kept
        assert secret not in told


def test_what_has_expired_is_forgotten(service: Service, claire: Person) -> None:
    claire.log_in()
    advance(service, days=4)
    with service.here.database.write() as session:
        Accounts(session).forget(service.here.world.now())
    with service.here.database._engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT (SELECT count(*) FROM login) + (SELECT count(*) FROM one_time_link)")) == 0

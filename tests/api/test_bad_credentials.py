"""D11: whatever is shown instead of a valid key or login opens nothing, at every operation; and pages of other sites change nothing."""

import base64
import hashlib
import json
from datetime import timedelta

from api import auth
from dispatch.model.intake import NewAccount
from dispatch.service.accounts import csrf_token, end_account, log_in_by_address, make_account
from dispatch.service.keys import make_key
from dispatch.service.privacy import erase_person
from dispatch.storage.accounts import Accounts, Login
from dispatch.storage.registry import Registry
from dispatch.storage.store import Store
from tests.api.conftest import Service
from tests.api.operations import complaint, digests, operations
from tests.api.test_session import HOST


def token(head: dict[str, str]) -> str:
    """A JSON Web Token that says it will be valid, for a manager."""
    parts = (head, {"role": "manager", "nbf": 4_000_000_000})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


def ended_login(service: Service) -> str:
    """The cookie of a browser that was logged in when its account ended."""
    world = service.here.world
    with service.here.store() as store:
        accounts = Accounts(store.session)
        new = NewAccount(role="coordinator", name="Odette", email="ended@example.org")
        account, _ = make_account(accounts, new, store, world)
        cookie = log_in_by_address(accounts, new.email, world)[1]
        end_account(accounts, store, account, world)
    return cookie


def logged_in(service: Service, role: str) -> str:
    """The cookie of a browser that is."""
    world = service.here.world
    cookie, now = world.token(32), world.now()
    own = {"territory_id": None if role == "admin" else service.here.id, "role": role, "actor_id": world.new_id()}
    if role == "driver":
        own["holder_id"] = service.people[service.here.id][0]
    times = {"created_at": now, "seen_at": now, "expires_at": now + timedelta(days=1)}
    with service.here.database.write() as session:
        if role != "admin":
            Store(session, service.here.id)
        Accounts(session).add(Login(id=world.new_id(), token_sha256=hashlib.sha256(cookie.encode()).hexdigest(), **own, **times))
    return cookie


def credentials(service: Service) -> dict[str, list[tuple[str, str]]]:
    """Headers that open nothing."""
    good = service.key("coordinator")
    with service.here.store() as store:
        registry = Registry(store.session)
        _, expired = make_key(registry, "coordinator", store, None, service.here.world, days=1)
        revoked_key, revoked = make_key(registry, "coordinator", store, None, service.here.world)
        revoked_key.revoked_at = service.here.world.now()
    leaving = service.here.volunteer(span=None)
    with service.here.store() as store:
        _, of_who_left = make_key(Registry(store.session), "driver", store, leaving, service.here.world)
        erase_person(store, store.file_of(leaving), service.here.world)
    foreign = service.key("coordinator", service.there).split("_")[2]
    prefix, secret = good.split("_")[1:]
    tokens = {"unsigned token": {"alg": "none"}, "token of an unknown key": {"alg": "RS256", "kid": "7"},
              "token of a key in a file": {"alg": "HS256", "kid": "../../../dev/null"}}  # fmt: skip
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
        **{what: [("Authorization", f"Bearer {token(head)}")] for what, head in tokens.items()},
        "of who was erased just now": [("Authorization", f"Bearer {of_who_left}")],
        "of an account that ended just now": [("Cookie", f"{auth.COOKIE}={ended_login(service)}")],
        "a secret of another territory's key": [("Authorization", f"Bearer allons_{prefix}_{foreign}")],
        "endless": [("Authorization", f"Bearer {'a' * 8000}")],
        "an invented cookie": [("Cookie", f"{auth.COOKIE}={'0' * 64}")],
        "an empty cookie": [("Cookie", f"{auth.COOKIE}=")],
        "key and cookie": [("Authorization", f"Bearer {good}"), ("Cookie", f"{auth.COOKIE}={'0' * 64}")],
    }


def test_nothing_but_a_valid_key_or_login_opens_an_operation(many: Service) -> None:
    bad, wrong = credentials(many), []
    assert many.series_id  # is made before anything is looked at
    many.here.world.advance(timedelta(days=2))
    before = digests(many)
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
    assert digests(many) == before


def test_no_page_of_another_site_changes_anything(many: Service) -> None:
    assert many.series_id  # is made before anything is looked at
    roles = {operation.role for operation in operations(many)}
    cookies = {role: logged_in(many, role) for role in roles}
    other, before, wrong, tried = logged_in(many, "coordinator"), digests(many), [], 0
    for operation in operations(many):
        if operation.method == "GET" or operation.name in auth.OPEN:
            continue
        cookie = cookies[operation.role]
        right = {auth.CSRF: csrf_token(cookie)}
        forged = {
            "no token": {}, "an empty token": {auth.CSRF: ""}, "the token of another login": {auth.CSRF: csrf_token(other)},
            "the cookie as the token": {auth.CSRF: cookie}, "another site": {**right, "Origin": "https://evil.test"},
            "no site": {**right, "Origin": "null"}, "a site with our name in it": {**right, "Origin": f"{HOST}.evil.test"},
            "our name with a port": {**right, "Origin": f"{HOST}:8443"}, "our name as somebody": {**right, "Origin": f"{HOST}@evil.test"},
        }  # fmt: skip
        body = operation.sent()
        common = {"Cookie": f"{auth.COOKIE}={cookie}", "Host": HOST.removeprefix("https://"), "Idempotency-Key": "of-another-site"}
        common |= {"Content-Type": operation.form} if operation.form else {}
        for what, headers in forged.items():
            tried += 1
            answer = many.client.request(operation.method, operation.filled(), content=body, headers={**common, **headers})
            if (told := complaint(answer, {403})) is not None:
                wrong.append(f"{operation.name}, {what}: {told}")
    assert not wrong, "\n".join(wrong)
    assert digests(many) == before
    assert tried > 150
    sent = {"Cookie": f"{auth.COOKIE}={other}", auth.CSRF: csrf_token(other), "Origin": HOST, "Host": HOST.removeprefix("https://")}
    assert many.client.request("DELETE", "/v1/session", headers=sent).status_code == 204

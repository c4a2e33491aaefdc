"""Logging in with an identity provider: a small one of the tests' own, honest or not."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from pydantic import SecretStr

from api.auth import COOKIE
from dispatch.service import oidc
from tests.api.conftest import Service
from tests.api.test_session import HOST, Person

CLIENT, SECRET = "allons", "of the two of us"


class Provider(ThreadingHTTPServer):
    """Lets everybody in as `email`. `lie` changes what it says before it is signed."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Pages)
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.own_name = self.issuer  # some have a slash at the end
        self.key = RSAKey.generate_key(2048, {"kid": "one", "alg": "RS256", "use": "sig"})
        self.email, self.codes = "", {}
        self.lie: dict[str, Any] = {}
        self.signed_with: Any = None
        self.pages: dict[str, str] = {}  # other than where they are
        self.described = 0  # times it was asked who it is

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.own_name, "aud": CLIENT, "sub": "7", "nonce": nonce, "iat": now, "exp": now + 300}
        claims |= {"email": self.email, "email_verified": True} | self.lie
        key = self.signed_with or self.key
        alg = "HS256" if isinstance(key, OctKey) else "RS256"
        return jwt.encode({"alg": alg, "kid": "one"}, {k: v for k, v in claims.items() if v is not None}, key, algorithms=[alg])


class _Pages(BaseHTTPRequestHandler):
    server: Provider

    def log_message(self, *_: Any) -> None: ...

    def do_GET(self) -> None:
        at = self.server.issuer
        if self.path == "/.well-known/openid-configuration":
            self.server.described += 1
            pages = {"authorization_endpoint": f"{at}/go", "token_endpoint": f"{at}/token", "jwks_uri": f"{at}/keys"}
            self._json({"issuer": self.server.own_name, **pages, **self.server.pages})
        else:
            self._json({"keys": [self.server.key.as_dict(private=False)]})

    def do_POST(self) -> None:
        if self.path == "/elsewhere":
            self.send_response(307)
            self.send_header("Location", f"{self.server.issuer}/token")
            self.end_headers()
            return
        given = {k: v[0] for k, v in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()}
        asked = self.server.codes.pop(given.get("code", ""), None)
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        proof = base64.urlsafe_b64encode(hashlib.sha256(given.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
        if asked is None or self.headers["Authorization"] != f"Basic {basic}" or proof != asked["code_challenge"]:
            self._json({"error": "invalid_grant"}, 400)
        else:
            self._json({"access_token": "x", "token_type": "Bearer", "id_token": self.server.id_token(asked["nonce"])})

    def _json(self, body: Any, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


@pytest.fixture(autouse=True)
def nobody_is_known_yet() -> None:
    oidc._described.cache_clear()


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def browser(service: Service, provider: Provider) -> TestClient:
    """Of a service that knows the provider."""
    chosen = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT, "public_url": HOST}
    for name, value in chosen.items():
        setattr(service.parts.settings, name, value)
    service.parts.settings.oidc_client_secret = SecretStr(SECRET)
    return TestClient(service.app, base_url=HOST, raise_server_exceptions=False, follow_redirects=False)


def there_and_back(browser: TestClient, provider: Provider, **changed: str) -> int:
    """Go to the provider, be let in, come back; the last status."""
    away = browser.get("/v1/session/oidc")
    assert away.status_code == 303, away.text
    asked = {k: v[0] for k, v in parse_qs(urlsplit(away.headers["location"]).query).items()}
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{HOST}/v1/session/oidc/callback"
    provider.codes["a-code"] = asked
    back = {"code": "a-code", "state": asked["state"]} | changed
    return browser.get(f"/v1/session/oidc/callback?{urlencode(back)}").status_code


def test_who_the_provider_vouches_for_is_logged_in_with_the_account_of_that_address(
    service: Service, browser: TestClient, provider: Provider
) -> None:
    provider.email = Person(service).email.upper()
    assert there_and_back(browser, provider) == 303
    assert browser.get("/v1/session").json()["role"] == "coordinator"
    assert browser.get("/v1/volunteers").status_code == 200


def test_who_has_no_account_gets_none(browser: TestClient, provider: Provider) -> None:
    provider.email = "stranger@example.org"
    assert there_and_back(browser, provider) == 401
    assert COOKIE not in browser.cookies


LIES: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.test"},
    "for another service": {"aud": "somebody-else"},
    "of another journey": {"nonce": "0" * 32},
    "without a nonce": {"nonce": None},
    "too old": {"exp": 1},
    "without an end": {"exp": None},
    "an address nobody has proved": {"email_verified": False},
    "an address proved by a text": {"email_verified": "true"},
    "no address": {"email": None},
    "not valid yet": {"nbf": 4_000_000_000},
    "issued in the future": {"iat": 4_000_000_000},
    "several addresses": {"email": ["a@example.org"]},
    "an address in a name": {"email": "Claire <claire@example.org>"},
    "for several, not us": {"aud": ["a", "b"]},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_what_a_provider_says_must_fit(service: Service, browser: TestClient, provider: Provider, lie: dict[str, Any]) -> None:
    provider.email, provider.lie = Person(service).email, lie
    assert there_and_back(browser, provider) == 401
    assert COOKIE not in browser.cookies


@pytest.mark.parametrize("kind", ["another key", "the public key as a shared secret"])
def test_only_the_providers_own_key_signs(service: Service, browser: TestClient, provider: Provider, kind: str) -> None:
    provider.email = Person(service).email
    public = provider.key.as_pem(private=False)
    provider.signed_with = RSAKey.generate_key(2048) if kind == "another key" else OctKey.import_key(base64.b64encode(public))
    assert there_and_back(browser, provider) == 401


@pytest.mark.parametrize("changed", [{"state": "0" * 32}, {"code": "another"}, {"state": ""}])
def test_a_return_that_was_not_begun_here_ends(service: Service, browser: TestClient, provider: Provider, changed: dict[str, str]) -> None:
    provider.email = Person(service).email
    assert there_and_back(browser, provider, **changed) == 401


def test_a_journey_belongs_to_its_browser_and_ends(service: Service, browser: TestClient, provider: Provider) -> None:
    provider.email = Person(service).email
    away = browser.get("/v1/session/oidc")
    asked = {k: v[0] for k, v in parse_qs(urlsplit(away.headers["location"]).query).items()}
    provider.codes["a-code"] = asked
    back = f"/v1/session/oidc/callback?{urlencode({'code': 'a-code', 'state': asked['state']})}"
    other = TestClient(service.app, base_url=HOST, follow_redirects=False)
    assert other.get(back).status_code == 401
    assert browser.get("/v1/session/oidc/callback?error=access_denied&state=x").status_code == 401
    assert browser.get(back).status_code == 303
    assert browser.get(back).status_code == 401


def test_without_a_provider_there_is_no_such_thing_and_one_that_is_away_is_told(
    service: Service, browser: TestClient, provider: Provider
) -> None:
    service.parts.settings.oidc_issuer = "http://127.0.0.1:9"
    assert browser.get("/v1/session/oidc").status_code == 503
    service.parts.settings.oidc_issuer = "http://evil.test"
    assert browser.get("/v1/session/oidc").status_code == 422
    service.parts.settings.oidc_issuer = None
    assert browser.get("/v1/session/oidc").status_code == 404


@pytest.mark.parametrize(("set_", "own"), [("", "/"), ("/", ""), ("/", "/")])
def test_a_provider_whose_name_ends_with_a_slash_is_the_same_provider(
    service: Service, browser: TestClient, provider: Provider, set_: str, own: str
) -> None:
    provider.email = Person(service).email
    provider.own_name, service.parts.settings.oidc_issuer = provider.issuer + own, provider.issuer + set_
    assert there_and_back(browser, provider) == 303
    provider.lie = {"iss": provider.issuer + ("" if own else "/")}  # not as it names itself
    assert there_and_back(browser, provider) == 401


@pytest.mark.parametrize("letter", ["\u212a", "\u043a"])  # the sign of kelvin, whose small letter is k; a cyrillic one
def test_an_address_that_only_looks_like_somebodys_opens_nothing(
    service: Service, browser: TestClient, provider: Provider, letter: str
) -> None:
    person = Person(service)
    person.email = f"k{person.email}"
    sent = {"role": "coordinator", "name": "Karl", "email": person.email}
    assert service.call("manager", "POST", "/v1/accounts", json=sent).status_code == 201
    provider.email = person.email.replace("k", letter, 1)
    assert there_and_back(browser, provider) == 401
    provider.email = person.email
    assert there_and_back(browser, provider) == 303


def test_the_provider_is_asked_who_it_is_once_and_only_so_often(browser: TestClient, provider: Provider) -> None:
    statuses = [browser.get("/v1/session/oidc").status_code for _ in range(70)]
    assert provider.described == 1
    assert statuses == [303] * 60 + [429] * 10
    returns = [browser.get("/v1/session/oidc/callback?code=x&state=y").status_code for _ in range(70)]
    assert returns == [401] * 60 + [429] * 10


@pytest.mark.parametrize("page", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("address", ["http://evil.test/x", "ftp://127.0.0.1/x", "//evil.test", 5, None])
def test_a_provider_that_would_be_spoken_to_in_the_open_is_not_used(
    browser: TestClient, provider: Provider, page: str, address: Any
) -> None:
    provider.pages = {page: address}
    assert browser.get("/v1/session/oidc").status_code == 503


def test_the_code_and_the_secret_are_sent_nowhere_else(service: Service, browser: TestClient, provider: Provider) -> None:
    provider.email, provider.pages = Person(service).email, {"token_endpoint": f"{provider.issuer}/elsewhere"}
    assert there_and_back(browser, provider) == 401
    assert "a-code" in provider.codes  # nobody has asked for it

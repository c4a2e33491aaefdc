"""Logging in with an identity provider (OpenID Connect, authorization code with PKCE): who somebody is, proved elsewhere.

In: the provider's settings. Out: an address to go to, and, when the browser comes back, the e-mail address that the provider vouches for.
Which account that opens is decided in `service.accounts`; whether a second factor is asked for is the provider's to say.
"""

import json
import time
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any, Self, cast
from urllib.parse import urlsplit
from uuid import UUID

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization
from pydantic import TypeAdapter, ValidationError

from dispatch.errors import BadInput, Fault, NotFound, NotReady, Unauthenticated
from dispatch.model.contact import Email
from dispatch.settings import Settings
from dispatch.storage.vault import Vault
from dispatch.world import World

LASTS = timedelta(minutes=10)  # from going to the provider to coming back
_TIMEOUT_S = 10
_KNOWN_S = 600  # what a provider says of itself is asked for so often
_ADDRESS: TypeAdapter[str] = TypeAdapter(Email)
_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]  # never one with a shared secret, never none
_PURPOSE = UUID("6f1a3f0c-6f0b-4a5e-8f5e-0d2a9c1f7b10")  # what the seal of a journey is for
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Journey:
    """What is remembered while somebody is with the provider; sealed, in the browser."""

    state: str
    nonce: str
    verifier: str
    until: float

    def sealed(self, vault: Vault) -> str:
        return vault.seal_text(_PURPOSE, json.dumps(asdict(self))).hex()

    @classmethod
    def opened(cls, vault: Vault, text: str, world: World) -> Self:
        """Unauthenticated when it is none of ours or too old."""
        try:
            journey = cls(**json.loads(vault.open_text(_PURPOSE, bytes.fromhex(text))))
        except (ValueError, TypeError, NotReady):
            raise Unauthenticated("This login was not begun here: begin again.") from None
        if journey.until < world.now().timestamp():
            raise Unauthenticated("This login took too long: begin again.")
        return journey


class Provider:
    """One identity provider, found by its issuer. Asks it over the network; NotReady when it does not answer."""

    def __init__(self, settings: Settings) -> None:
        if not (settings.oidc_issuer and settings.oidc_client_id and settings.public_url):
            raise NotFound("No identity provider is set here.")
        self._issuer, self._client_id = settings.oidc_issuer, settings.oidc_client_id
        self._secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else None
        self._back = f"{settings.public_url.rstrip('/')}/v1/session/oidc/callback"
        if not _is_private(self._issuer):
            raise BadInput([Fault("ALLONS_OIDC_ISSUER", "invalid", "must begin with https://")])

    def begin(self, world: World) -> tuple[str, Journey]:
        """Where to send the browser, and what to remember."""
        journey = Journey(world.token(16), world.token(16), world.token(32), (world.now() + LASTS).timestamp())
        known = {"state": journey.state, "nonce": journey.nonce, "code_verifier": journey.verifier}
        url, _ = self._client().create_authorization_url(self._described()["authorization_endpoint"], **known)
        return str(url), journey

    def finish(self, journey: Journey, code: str, state: str) -> str:
        """The proved e-mail address. Unauthenticated for anything that does not fit together."""
        if state != journey.state:
            raise Unauthenticated("This login was not begun here: begin again.")
        described = self._described()
        try:
            token = self._client().fetch_token(
                described["token_endpoint"],
                code=code,
                code_verifier=journey.verifier,
                grant_type="authorization_code",
                timeout=_TIMEOUT_S,
                allow_redirects=False,  # the secret and the code go to nobody else
            )
            keys = KeySet.import_key_set(cast("KeySetSerialization", _get(described["jwks_uri"])))
            claims = jwt.decode(token["id_token"], keys, algorithms=_ALGORITHMS).claims
            wanted = {"iss": described["issuer"], "aud": self._client_id, "nonce": journey.nonce}
            rules: dict[str, Any] = {name: {"essential": True, "value": value} for name, value in wanted.items()}
            jwt.JWTClaimsRegistry(leeway=60, exp={"essential": True}, **rules).validate(claims)
        except (OAuthError, JoseError, KeyError, ValueError, TypeError):
            raise Unauthenticated("The identity provider did not vouch for anybody.") from None
        except requests.RequestException:
            raise NotReady("The identity provider does not answer.") from None
        try:
            address = _ADDRESS.validate_python(claims.get("email"))  # as strict as for accounts: no letter that only looks like another
        except ValidationError:
            address = None
        if claims.get("email_verified") is not True or address is None:
            raise Unauthenticated("The identity provider does not vouch for an e-mail address.")
        return address

    def _client(self) -> OAuth2Session:
        how = "client_secret_basic" if self._secret else "none"
        return OAuth2Session(
            self._client_id,
            self._secret,
            scope="openid email",
            redirect_uri=self._back,
            code_challenge_method="S256",
            token_endpoint_auth_method=how,
        )

    def _described(self) -> dict[str, Any]:
        return _described(self._issuer, int(time.monotonic() / _KNOWN_S))


@lru_cache(maxsize=2)
def _described(issuer: str, _period: int) -> dict[str, Any]:
    """What a provider says of itself, asked for once a period. Its issuer may be written with or without a slash at the end."""
    described = _get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if str(described.get("issuer")).rstrip("/") != issuer.rstrip("/"):
        raise NotReady("The identity provider is not the one that was set.")
    if not all(_is_private(described.get(name)) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")):
        raise NotReady("The identity provider names addresses that do not begin with https://.")
    return described


def _get(url: str) -> dict[str, Any]:
    try:
        answer = requests.get(url, timeout=_TIMEOUT_S, allow_redirects=False)
        answer.raise_for_status()
        found = answer.json()
    except (requests.RequestException, ValueError):
        found = None
    if not isinstance(found, dict):
        raise NotReady("The identity provider does not answer.")
    return found


def _is_private(url: object) -> bool:
    """Whether nobody on the way can read it: TLS, or this machine."""
    parts = urlsplit(url) if isinstance(url, str) else None
    return (
        parts is not None and bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK))
    )

"""API keys: made once, shown once, kept as a hash; and who stands behind one.

The text is `allons_<prefix>_<secret>`; the secret has 160 random bits, so that a plain SHA-256 of it cannot be searched for.
Called by the command line and by `api.auth`.
"""

import hashlib
import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from dispatch.errors import BadInput, Fault, NotFound, Unauthenticated
from dispatch.model.roles import HOLDERS, REFERRERS, STAFF, Role
from dispatch.storage.registry import Registry
from dispatch.storage.store import Store
from dispatch.storage.tables import ApiKey, Beneficiary, Volunteer
from dispatch.world import World

_TEXT = re.compile(r"allons_([0-9a-f]{12})_([0-9a-f]{40})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who is asking. A driver or beneficiary has `holder_id`; everybody but an admin has a territory."""

    role: Role
    actor_id: UUID  # of the key or account
    territory_id: UUID | None
    holder_id: UUID | None
    scopes: frozenset[str] | None = None  # of a key that is limited
    by_login: bool = False  # somebody at a screen, not a program

    @property
    def is_staff(self) -> bool:
        """Sees everything of the territory."""
        return self.role in STAFF

    @property
    def is_referrer(self) -> bool:
        """Sees whom and what it entered."""
        return self.role in REFERRERS


def make_key(
    registry: Registry,
    role: Role,
    store: Store | None,
    holder_id: UUID | None,
    world: World,
    days: int | None = None,
    scopes: Collection[str] | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its text, which is not kept. A driver's or beneficiary's key needs its holder, of the same territory."""
    if (role == "admin") != (store is None):
        raise BadInput([Fault("territory", "invalid", "give the territory of the key; an admin's key has none")])
    if (role in HOLDERS) != (holder_id is not None):
        raise BadInput([Fault("holder", "invalid", "give the id of the volunteer or beneficiary who holds the key; other roles have none")])
    if store is not None and holder_id is not None:
        _ = store.get(Volunteer, holder_id) if role == "driver" else store.get(Beneficiary, holder_id)
    prefix, secret = world.token(6), world.token(20)
    now = world.now()
    key = ApiKey(
        id=world.new_id(),
        territory_id=store.territory_id if store else None,
        role=role,
        holder_id=holder_id,
        scopes=None if scopes is None else sorted(set(scopes)),
        prefix=prefix,
        secret_sha256=_hash(secret),
        created_at=now,
        expires_at=now + timedelta(days=days) if days else None,
    )
    registry.add(key)
    return key, f"allons_{prefix}_{secret}"


def find_caller(registry: Registry, text: str, world: World) -> Caller:
    """Who holds this key; Unauthenticated for unknown, wrong, expired and revoked ones alike."""
    parts = _TEXT.fullmatch(text)
    key = registry.key(parts[1]) if parts else None
    matches = hmac.compare_digest(key.secret_sha256 if key else "", _hash(parts[2] if parts else ""))
    if key is None or not matches or key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= world.now()):
        raise Unauthenticated
    own = {"actor_id": key.id, "territory_id": key.territory_id, "holder_id": key.holder_id}
    return Caller(role=key.role, scopes=None if key.scopes is None else frozenset(key.scopes), **own)  # type: ignore[arg-type]


def revoke_key(registry: Registry, territory_id: UUID, key_id: UUID, world: World) -> None:
    """End a key of a territory; NotFound for those of others."""
    key = registry.key_of(territory_id, key_id)
    if key is None:
        raise NotFound
    key.revoked_at = key.revoked_at or world.now()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

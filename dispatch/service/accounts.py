"""Accounts: made by a manager, opened with a one-time link, entered with a password and, for staff, a code; and who is logged in.

Tokens are 256 random bits, kept as SHA-256. A password is kept as Argon2id. Wrong address, wrong password and ended account are one answer,
after the same time. The caller commits, and counts tries. Called by `api.routes` and the command line.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

import pyotp
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from dispatch.errors import BadInput, CodeNeeded, Conflict, Fault, NotFound, Unauthenticated
from dispatch.model.intake import NewAccount
from dispatch.model.roles import HOLDERS, SECOND_FACTOR, Role
from dispatch.service.keys import Caller
from dispatch.storage.accounts import Account, Accounts, Login, OneTimeLink
from dispatch.storage.store import Store
from dispatch.storage.tables import Beneficiary, Volunteer
from dispatch.storage.vault import Identity
from dispatch.world import World

ISSUER = "Allons"
ACCOUNT_LINK = timedelta(days=3)
#: Without a call for so long, and at most so long. A volunteer's phone is their own; an office's browser is everybody's.
STAFF_IDLE, STAFF_LONGEST = timedelta(minutes=30), timedelta(hours=12)
HOLDER_IDLE, HOLDER_LONGEST = timedelta(days=30), timedelta(days=180)
_SEEN_EVERY = timedelta(minutes=1)
_hasher = PasswordHash((Argon2Hasher(),))
_CODE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a newly opened account needs for its second factor; none for roles without one."""

    totp_uri: str | None


def make_account(accounts: Accounts, new: NewAccount, store: Store | None, world: World) -> tuple[Account, str]:
    """A new account and the text of the link that opens it. Conflict when the address has one; BadInput for a holder that does not fit."""
    if (new.role == "admin") != (store is None):
        raise BadInput([Fault("role", "invalid", "an admin's account is made on the command line, and belongs to no territory")])
    if (new.role in HOLDERS) != (new.holder_id is not None):
        raise BadInput(
            [Fault("holder_id", "invalid", "give the id of the volunteer or beneficiary whose account this is; others have none")]
        )
    digest = accounts.vault.digest(new.email)
    if accounts.account_of(digest) is not None:
        raise Conflict("This address has an account already.")
    row = Account(id=world.new_id(), role=new.role, holder_id=new.holder_id, login_digest=digest, created_at=world.now())
    if store is not None:
        if new.holder_id is not None:
            _check_holder(store, new.role, new.holder_id)
        row.territory_id = store.territory_id
        store.add_identity(row.id, Identity(new.name, None, new.email))
        store.note_access("made", "account", row.id, 1, world)
    accounts.add(row)
    return row, _link_for(accounts, row, row.id, world.now() + ACCOUNT_LINK, world)


def renew_link(accounts: Accounts, account: Account, world: World) -> str:
    """A new link for a password that was forgotten or a phone that was lost; older ones open nothing any more."""
    accounts.end_links(account.id, world.now())
    return _link_for(accounts, account, account.id, world.now() + ACCOUNT_LINK, world)


def holder_link(accounts: Accounts, store: Store, role: Role, holder_id: UUID, hours: int, world: World) -> tuple[OneTimeLink, str]:
    """A link for a volunteer or beneficiary without an account. Its id is noted: it is who acts afterwards, long after the link is gone."""
    _check_holder(store, role, holder_id)
    about = OneTimeLink(territory_id=store.territory_id, role=role, holder_id=holder_id)
    text = _link_for(accounts, about, None, world.now() + timedelta(hours=hours), world)
    store.note_access("made", "link", holder_id, 1, world)
    store.note_access("made", "link", about.id, 1, world)
    return about, text


def end_logins(accounts: Accounts, store: Store, holder_id: UUID, world: World) -> None:
    """A volunteer or beneficiary is logged out everywhere, and their links open nothing any more; said twice is said once."""
    accounts.end_traces(holder_id, world.now())
    store.note_access("changed", "login", holder_id, 1, world)


def open_account(accounts: Accounts, token: str, password: str, world: World) -> Enrolment:
    """Choose the password; the link is used up, and whoever was logged in is out. Unauthenticated when the link opens nothing."""
    link = accounts.use_link(_hash(token), world.now())
    account = accounts.account(link.account_id, link.territory_id) if link and link.account_id else None
    if account is None or account.ended_at is not None:
        raise Unauthenticated
    account.password_hash = _hasher.hash(password)
    accounts.end_logins(account.id)
    if account.role not in SECOND_FACTOR:
        return Enrolment(None)
    secret = pyotp.random_base32()
    account.totp, account.totp_step = accounts.vault.seal_text(account.id, secret), 0
    return Enrolment(pyotp.TOTP(secret, name=account.role, issuer=ISSUER).provisioning_uri())


def log_in(accounts: Accounts, email: str, password: str, code: str | None, world: World) -> tuple[Login, str]:
    """Who gives the right password (and code) is logged in. Unauthenticated otherwise; CodeNeeded when only the code is missing."""
    account = accounts.account_of(accounts.vault.digest(email), lock=True)
    kept = account.password_hash if account else None
    right = _hasher.verify(password, kept or _nobodys_hash())
    if account is None or kept is None or not right:
        raise Unauthenticated("The address or the password is not right.")
    if account.role in SECOND_FACTOR:
        if code is None:
            raise CodeNeeded
        _use_code(accounts, account, code, world.now())
    return _log_in(accounts, account, account.id, world)


def log_in_by_address(accounts: Accounts, email: str, world: World) -> tuple[Login, str]:
    """For who has proved elsewhere whose address it is (OpenID Connect). Unauthenticated when it has no account."""
    account = accounts.account_of(accounts.vault.digest(email))
    if account is None:
        raise Unauthenticated("This address has no account here.")
    return _log_in(accounts, account, account.id, world)


def use_link(accounts: Accounts, token: str, world: World) -> tuple[Login, str]:
    """Log a volunteer or beneficiary in who has no account. Unauthenticated for a link that is used, expired, or an account's.

    That the link, as whoever acts from now on, is this person is noted.
    """
    link = accounts.use_link(_hash(token), world.now())
    if link is None or link.account_id is not None or link.territory_id is None:
        raise Unauthenticated("This link has been used, or is too old.")
    Store(accounts.session, link.territory_id, link.id).note_access("made", "login", link.holder_id, 1, world)
    return _log_in(accounts, link, link.id, world)


def find_login(accounts: Accounts, token: str, world: World) -> tuple[Caller, bool]:
    """Who is logged in with this token, and whether that should be noted (`see`). Unauthenticated when nobody is, or for too long."""
    row, now = accounts.login(_hash(token)), world.now()
    idle = HOLDER_IDLE if row and row.role in HOLDERS else STAFF_IDLE
    if row is None or row.expires_at <= now or row.seen_at + idle <= now:
        raise Unauthenticated("You have been logged out: log in again.")
    own = {"actor_id": row.actor_id, "territory_id": row.territory_id, "holder_id": row.holder_id}
    caller = Caller(role=row.role, by_login=True, **own)  # type: ignore[arg-type]
    return caller, row.seen_at + _SEEN_EVERY <= now


def see(accounts: Accounts, token: str, world: World) -> None:
    """Whoever this is was there just now."""
    if row := accounts.login(_hash(token)):
        row.seen_at = world.now()


def log_out(accounts: Accounts, token: str) -> None:
    """This browser is logged out; said twice is said once."""
    if row := accounts.login(_hash(token)):
        accounts.session.delete(row)


def end_account(accounts: Accounts, store: Store | None, account: Account, world: World) -> None:
    """For good: nobody logs in with it any more, and whose it was cannot be read any more. An admin's has no store, and no name."""
    now = world.now()
    account.login_digest = account.password_hash = account.totp = None
    account.ended_at = account.ended_at or now
    accounts.end_logins(account.id)
    accounts.end_links(account.id, now)
    if store is not None:
        store.lose_key(account.id, now)  # said twice is said once: a restored backup brings accounts back
        store.clear_sealed(account.id)
        store.note_access("erased", "account", account.id, 1, world)


def find_account(accounts: Accounts, store: Store, account_id: UUID) -> Account:
    """One of the territory that has not ended; NotFound otherwise."""
    found = accounts.account(account_id, store.territory_id)
    if found is None or found.ended_at is not None:
        raise NotFound
    return found


def csrf_token(token: str) -> str:
    """What a page of this login must send with every change: another site cannot know it."""
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()


def _check_holder(store: Store, role: str, holder_id: UUID) -> None:
    _ = store.get(Volunteer, holder_id) if role == "driver" else store.get(Beneficiary, holder_id)


def _link_for(accounts: Accounts, about: Account | OneTimeLink, account_id: UUID | None, until: datetime, world: World) -> str:
    text = world.token(32)
    link = (
        about
        if isinstance(about, OneTimeLink)
        else OneTimeLink(territory_id=about.territory_id, role=about.role, holder_id=about.holder_id)
    )
    link.id, link.account_id, link.created_at, link.expires_at = world.new_id(), account_id, world.now(), until
    link.token_sha256 = _hash(text)
    accounts.add(link)
    return text


def _log_in(accounts: Accounts, who: Account | OneTimeLink, actor_id: UUID, world: World) -> tuple[Login, str]:
    """A new token each time: one that somebody had put there before is worth nothing."""
    token, now = world.token(32), world.now()
    longest = HOLDER_LONGEST if who.role in HOLDERS else STAFF_LONGEST
    own = {"territory_id": who.territory_id, "role": who.role, "holder_id": who.holder_id, "actor_id": actor_id}
    row = Login(id=world.new_id(), token_sha256=_hash(token), created_at=now, seen_at=now, expires_at=now + longest, **own)
    accounts.add(row)
    return row, token


def _use_code(accounts: Accounts, account: Account, code: str, now: datetime) -> None:
    """A code of now, the half minute before or after; no code twice."""
    if account.totp is None:
        raise Unauthenticated("The address or the password is not right.")
    totp = pyotp.TOTP(accounts.vault.open_text(account.id, account.totp))
    step = int(now.timestamp()) // _CODE_SECONDS
    for near in (step, step - 1, step + 1):
        if near > account.totp_step and hmac.compare_digest(totp.at(near * _CODE_SECONDS), code):
            account.totp_step = near
            return
    raise Unauthenticated("The code is not right, or was used before.")


@cache
def _nobodys_hash() -> str:
    """Verified where there is no account, so that the answer takes as long."""
    return _hasher.hash("nobody's password")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

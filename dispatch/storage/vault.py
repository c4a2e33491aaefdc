"""Who people are, sealed: each person's name and numbers with a key of their own, and every such key with the installation's master key.

In: an `Identity` and the id of the row it belongs to. Out: bytes for the tables `person` and `person_key`, and back. Erasing a person is
losing their key: what was sealed with it can never be read again, wherever copies of it are. Opened by `storage.database`, used by
`storage.people` and `storage.accounts`, and by the migration that sealed what there was.
"""

import base64
import binascii
import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.orm import Session

from dispatch.errors import BadInput, Fault, NotReady

KEY_BYTES = 32
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Identity:
    """What says who somebody is. Without a name: a person who was erased."""

    name: str | None
    phone: str | None
    email: str | None = None
    contact_name: str | None = None  # somebody else who may be told
    contact_phone: str | None = None
    contact_email: str | None = None
    car: str | None = None  # a volunteer's, as one looks for it in the street


ERASED = Identity(None, None)


@dataclass(frozen=True, slots=True)
class Places:
    """What the ends of a ride are called, and how one gets in: a street and number, a code at the door."""

    origin_label: str | None = None
    origin_note: str | None = None
    destination_label: str | None = None
    destination_note: str | None = None


NOWHERE = Places()


class Vault:
    """Seals and opens with one master key. NotReady when something was sealed with another one."""

    def __init__(self, master_key: bytes) -> None:
        self._master = AESGCM(master_key)
        self._for_links = hmac.digest(master_key, b"allons links", "sha256")
        self._for_digests = hmac.digest(master_key, b"allons logins", "sha256")

    def new_key(self, person_id: UUID) -> bytes:
        """A new person's key, wrapped."""
        return _seal(self._master, secrets.token_bytes(KEY_BYTES), person_id)

    def seal(self, person_id: UUID, wrapped_key: bytes, identity: Identity) -> bytes:
        """For the row of this person only: elsewhere it cannot be opened."""
        return _seal(self._key(person_id, wrapped_key), json.dumps(asdict(identity)).encode(), person_id)

    def open(self, person_id: UUID, wrapped_key: bytes, sealed: bytes) -> Identity:
        """What was sealed. About 10 microseconds."""
        return Identity(**json.loads(_open(self._key(person_id, wrapped_key), sealed, person_id)))

    def seal_bytes(self, person_id: UUID, wrapped_key: bytes, data: bytes) -> bytes:
        """Something else of this person's: a picture of a paper."""
        return _seal(self._key(person_id, wrapped_key), data, person_id)

    def open_bytes(self, person_id: UUID, wrapped_key: bytes, sealed: bytes) -> bytes:
        """What was sealed."""
        return _open(self._key(person_id, wrapped_key), sealed, person_id)

    def seal_text(self, row_id: UUID, text: str) -> bytes:
        """With the master key alone, for what is not somebody's name: the secret of a second factor."""
        return _seal(self._master, text.encode(), row_id)

    def open_text(self, row_id: UUID, sealed: bytes) -> str:
        """What was sealed for this row."""
        return _open(self._master, sealed, row_id).decode()

    def digest(self, address: str) -> str:
        """By which an address is found again; without the master key nobody can tell whose it is."""
        return hmac.digest(self._for_digests, address.casefold().encode(), "sha256").hex()

    def sign(self, text: str) -> bytes:
        """What only whoever has the master key can make of a text: links are signed with it."""
        return hmac.digest(self._for_links, text.encode(), "sha256")

    def _key(self, person_id: UUID, wrapped: bytes) -> AESGCM:
        return AESGCM(_open(self._master, wrapped, person_id))


def find_master_key(database_url: str, text: str | None, file: Path | None, sealed: Callable[[], bool] = lambda: False) -> bytes:
    """As the settings have it: a text, or a file. A SQLite database has its file beside it, made the first time.

    `sealed` says whether the database holds what another key has sealed: then none is made. BadInput when there is none, or it is no key.
    """
    if text:
        return _decode(text, "ALLONS_VAULT_KEY")
    if file is None and database_url.startswith("sqlite:///"):
        file = Path(database_url.removeprefix("sqlite:///")).with_suffix(".key")
        if not file.exists():
            if sealed():
                what = "the database was sealed with a key that is not beside it: bring its .key file back, or set ALLONS_VAULT_KEY"
                raise BadInput([Fault("ALLONS_VAULT_KEY_FILE", "missing", what)])
            _make(file)
    if file is None:
        what = "needed with PostgreSQL: the key that seals names; make one with `allons vault new-key` and keep it apart from the database"
        raise BadInput([Fault("ALLONS_VAULT_KEY", "missing", what)])
    try:
        return _decode(file.read_text(encoding="ascii"), "ALLONS_VAULT_KEY_FILE")
    except (OSError, UnicodeDecodeError):
        raise BadInput([Fault("ALLONS_VAULT_KEY_FILE", "unreadable", "cannot be read")]) from None


def new_master_key() -> str:
    """A key as text, for ALLONS_VAULT_KEY."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _make(file: Path) -> None:
    """Nobody else may read it; of two processes that make it at once, one wins, and neither finds half of it."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=file.parent)  # readable by its owner only
        with os.fdopen(descriptor, "w") as out:
            out.write(new_master_key())
        try:
            with suppress(FileExistsError):
                os.link(draft, file)
        finally:
            Path(draft).unlink()
    except OSError:
        raise BadInput([Fault("ALLONS_VAULT_KEY_FILE", "unwritable", "cannot be made beside the database")]) from None


def _decode(text: str, where: str) -> bytes:
    try:
        key = base64.urlsafe_b64decode(text.strip())
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise BadInput([Fault(where, "invalid", "is not a key: make one with `allons vault new-key`")])
    return key


def _seal(key: AESGCM, data: bytes, person_id: UUID) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + key.encrypt(nonce, data, person_id.bytes)


def _open(key: AESGCM, sealed: bytes, person_id: UUID) -> bytes:
    try:
        return key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], person_id.bytes)
    except InvalidTag:
        raise NotReady("The vault's key is not the one this database was sealed with.") from None


def vault_of(session: Session) -> Vault:
    """That of the database a session belongs to; NotReady where its master key is not there."""
    vault: Vault | None = session.info["vault"]
    if vault is None:
        raise NotReady("The key that opens names is not there: set ALLONS_VAULT_KEY.")
    return vault

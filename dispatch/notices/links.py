"""Links that let whoever has them answer without an account. They are made when a message is: nothing that opens anything is kept.

In: what a link is for, and the id of the row it is about. Out: a token, and back. Called by `notices.compose`, and by whoever opens a page
for a token. A link is queued as a path with {token} in it, such as `/o/{token}`; planners, who have no key, can queue it.
"""

import base64
import binascii
import hmac
from uuid import UUID

from dispatch.storage.vault import Vault

MARK = "{token}"
_SIGNED_BYTES = 16
#: Kinds of notices whose links lead to the page of a ride.
_OF_RIDES = {"request", "cancel", "will"}


def purpose_of(kind: str) -> str:
    """What links of a kind of notice are for: `offer` of `offer_sent` and `offer_reminder`, `run`, `ride`, …"""
    first = kind.partition("_")[0]
    return "ride" if first in _OF_RIDES else first


def make_token(vault: Vault, purpose: str, about: UUID) -> str:
    """43 characters that nobody makes without the vault's key. They hold for as long as the row that they are about lets them."""
    return _written(about.bytes + _signed(vault, purpose, about))


def read_token(vault: Vault, purpose: str, token: str) -> UUID | None:
    """What a token is about; None when it was not made here for this."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != 16 + _SIGNED_BYTES or _written(raw) != token:
        return None
    about = UUID(bytes=raw[:16])
    return about if hmac.compare_digest(raw[16:], _signed(vault, purpose, about)) else None


def answer_code(vault: Vault, about: UUID) -> str:
    """Four digits by which an SMS says what it answers. Not secret: who sends it is known by the number."""
    return f"{int.from_bytes(vault.sign(f'sms {about}')[:4]) % 10_000:04}"


def _written(raw: bytes) -> str:
    """One token has one way to be written."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _signed(vault: Vault, purpose: str, about: UUID) -> bytes:
    return vault.sign(f"{purpose} {about}")[:_SIGNED_BYTES]

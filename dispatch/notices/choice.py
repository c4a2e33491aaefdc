"""By which way a person is told something: what they prefer if it can be, else a message to a mobile, else a mail, else a call.

In: who somebody is and what they prefer. Out: a way and an address, or None: somebody has to call. A pure function.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from dispatch.model.contact import dialled, takes_sms
from dispatch.storage.vault import Identity

Way = Literal["sms", "email", "contact_sms", "contact_email"]
Channel = Literal["sms", "email"]


@dataclass(frozen=True, slots=True)
class Target:
    """A way to somebody."""

    way: Way
    channel: Channel
    address: str


def choose(identity: Identity, preferred: str | None, usable: Collection[str], refused: Collection[str] = ()) -> Target | None:
    """The first way that is there and has not failed yet; None for the list of calls.

    `usable`: channels that this installation has. `refused`: ways that have failed for good. A foreign number is written to only if that is
    what the person prefers, since nobody knows whether it is a mobile. The second contact comes last: before a call, after the person.
    """
    if preferred == "call":
        return None
    ways = sorted(_ways(identity, preferred), key=lambda target: target.way != preferred)  # stable: the others stay in order
    return next((target for target in ways if target.channel in usable and target.way not in refused), None)


def number_to_call(identity: Identity, refused: Collection[str] = ()) -> tuple[str | None, bool]:
    """What to dial, and whether it is the second contact's; nothing when there is no number."""
    own, other = dialled(identity.phone), dialled(identity.contact_phone)
    if own is not None and "call" not in refused:
        return own, False
    return (other, True) if other is not None and "contact_call" not in refused else (None, False)


def _ways(identity: Identity, preferred: str | None) -> Iterator[Target]:
    if number := _writable(identity.phone, preferred):
        yield Target("sms", "sms", number)
    if identity.email:
        yield Target("email", "email", identity.email)
    if number := _writable(identity.contact_phone, None):
        yield Target("contact_sms", "sms", number)
    if identity.contact_email:
        yield Target("contact_email", "email", identity.contact_email)


def _writable(phone: str | None, preferred: str | None) -> str | None:
    number = dialled(phone)
    takes = takes_sms(number) if number else False
    return number if takes or (takes is None and preferred == "sms") else None

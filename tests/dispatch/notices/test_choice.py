"""By which way somebody is told something: every case of the table."""

from typing import Any

import pytest

from dispatch.notices.choice import choose, number_to_call
from dispatch.storage.vault import Identity

BOTH = frozenset({"sms", "email"})
MOBILE, FIXED, FOREIGN, MAIL = "06 39 98 00 01", "05 55 12 34 56", "+32 470 12 34 56", "a@example.org"


def who(**parts: Any) -> Identity:
    return Identity(**({"name": "Jeanne", "phone": None} | parts))


@pytest.mark.parametrize(
    ("identity", "preferred", "usable", "refused", "expected"),
    [
        (who(phone=MOBILE, email=MAIL), None, BOTH, (), ("sms", "+33639980001")),
        (who(phone=MOBILE, email=MAIL), "email", BOTH, (), ("email", MAIL)),
        (who(phone=MOBILE, email=MAIL), "call", BOTH, (), None),
        (who(phone=MOBILE, email=MAIL), "email", {"sms"}, (), ("sms", "+33639980001")),  # as preferred is not possible here
        (who(phone=MOBILE), "email", BOTH, (), ("sms", "+33639980001")),
        (who(phone=FIXED, email=MAIL), None, BOTH, (), ("email", MAIL)),
        (who(phone=FIXED, email=MAIL), "sms", BOTH, (), ("email", MAIL)),
        (who(phone=FIXED), None, BOTH, (), None),
        (who(), None, BOTH, (), None),
        (who(phone=FOREIGN), None, BOTH, (), None),  # nobody knows whether it is a mobile
        (who(phone=FOREIGN), "sms", BOTH, (), ("sms", "+32470123456")),
        (who(phone="filed long ago"), None, BOTH, (), None),
        (who(phone=MOBILE, email=MAIL), None, BOTH, ("sms",), ("email", MAIL)),
        (who(phone=MOBILE, email=MAIL), None, BOTH, ("sms", "email"), None),
        (who(phone=FIXED, contact_phone=MOBILE, contact_email=MAIL), None, BOTH, (), ("contact_sms", "+33639980001")),
        (who(phone=FIXED, contact_phone=MOBILE, contact_email=MAIL), None, BOTH, ("contact_sms",), ("contact_email", MAIL)),
        (who(email=MAIL, contact_phone=MOBILE), None, BOTH, (), ("email", MAIL)),  # oneself before one's daughter
        (who(phone=MOBILE, email=MAIL), None, set(), (), None),
    ],
)
def test_the_way(identity: Identity, preferred: str | None, usable: Any, refused: Any, expected: tuple[str, str] | None) -> None:
    found = choose(identity, preferred, usable, refused)
    assert (None if found is None else (found.way, found.address)) == expected


@pytest.mark.parametrize(
    ("identity", "refused", "expected"),
    [
        (who(phone=FIXED), (), ("+33555123456", False)),
        (who(phone=FIXED, contact_phone=MOBILE), (), ("+33555123456", False)),
        (who(phone=FIXED, contact_phone=MOBILE), ("call",), ("+33639980001", True)),
        (who(contact_phone=MOBILE), (), ("+33639980001", True)),
        (who(contact_phone=MOBILE), ("contact_call",), (None, False)),
        (who(), (), (None, False)),
    ],
)
def test_the_number_to_dial(identity: Identity, refused: Any, expected: tuple[str | None, bool]) -> None:
    assert number_to_call(identity, refused) == expected

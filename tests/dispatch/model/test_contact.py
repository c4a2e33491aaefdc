"""Telephone numbers and addresses as people write them: taken, refused, and dialled from anywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from dispatch.model.contact import Email, Phone, dialled, takes_sms
from dispatch.model.intake import NewBeneficiary

HOME = (2.3969, 46.2883)
TAKEN = {
    "06 12 34 56 78": "+33612345678", "0612345678": "+33612345678", "06.12.34.56.78": "+33612345678", "+33 6 12 34 56 78": "+33612345678",
    "0033 6 12 34 56 78": "+33612345678", "05 55 12 34 56": "+33555123456", "09 72 12 34 56": "+33972123456",
    "0800 12 34 56": "+33800123456", "+32 470 12 34 56": "+32470123456", "+44 7700 900123": "+447700900123",
    "+1 (212) 555-0100": "+12125550100",
    "0692 12 34 56": "+262692123456", "0690 12 34 56": "+590690123456", "0694 12 34 56": "+594694123456", "0696 12 34 56": "+596696123456",
    "0639 12 34 56": "+262639123456", "06 39 98 00 01": "+33639980001", "+262 692 12 34 56": "+262692123456",
}  # fmt: skip
REFUSED = {
    "letters": "06 ab cd ef gh", "too short": "06 98", "nine digits": "06 98 65 43 2", "eleven digits": "06 98 65 43 21 0",
    "0 behind +33": "+33 06 98 65 43 21", "(0) behind +33": "+33 (0)6 98 65 43 21", "0033 with 0": "0033 06 98 65 43 21",
    "two zeros": "00 98 65 43 21", "premium": "08 99 98 65 43", "premium 081": "0810 98 65 43", "premium from abroad": "+33 892 123 456",
    "international premium": "+979 1 2345 6789", "a new line": "0698654321\n", "header": "0698654321\r\nBcc: x@y.fr", "plus only": "+",
    "endless": "+" + "1" * 24, "ten digits without 0": "6123456789", "arabic digits": "٠٦١٢٣٤٥٦٧٨", "eight behind +33": "+33 6 98 65 43 2",
}  # fmt: skip


@pytest.mark.parametrize("typed", TAKEN)
def test_a_number_is_kept_as_it_was_typed_and_dialled_from_anywhere(typed: str) -> None:
    assert TypeAdapter(Phone).validate_python(typed) == typed
    assert dialled(typed) == TAKEN[typed]


@pytest.mark.parametrize("what", REFUSED)
def test_a_number_that_is_none_is_refused_without_repeating_it(what: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(Phone).validate_python(REFUSED[what])
    (error,) = refused.value.errors(include_input=False, include_context=False)
    assert what == "plus only" or REFUSED[what] not in error["msg"]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+33612345678", True),
        ("+33712345678", True),
        ("+33555123456", False),
        ("+33972123456", False),
        ("+262692123456", True),
        ("+262262123456", False),
        ("+590690123456", True),
        ("+32470123456", None),
    ],
)
def test_mobile_numbers_of_france_take_messages_and_foreign_ones_may(number: str, expected: bool | None) -> None:
    assert takes_sms(number) is expected


@given(st.text(max_size=30))
def test_whatever_was_filed_before_numbers_were_checked_breaks_nothing(text: str) -> None:
    number = dialled(text)
    assert number is None or (number[0] == "+" and number[1:].isdigit() and 10 <= len(number) <= 16)


def test_no_number_is_no_number() -> None:
    assert dialled(None) is dialled("") is None


@pytest.mark.parametrize("address", ["jeanne@example.org", "j.r+rides@sous.example.org", "JEANNE@Example.ORG", "o'brien@example.org"])
def test_an_address_is_taken_and_its_domain_is_in_small_letters(address: str) -> None:
    local, _, domain = address.partition("@")
    assert TypeAdapter(Email).validate_python(address) == f"{local}@{domain.lower()}"


@pytest.mark.parametrize(
    "address",
    [
        "jeanne",
        "@example.org",
        "jeanne@",
        "a@b@c.fr",
        f"{'a' * 250}@y.fr",
        "a@y.fr\r\nBcc: b@y.fr",
        "Jeanne <a@y.fr>",
        "a b@y.fr",
        "a@y..fr",
    ],
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Email).validate_python(address)


def test_a_second_contact_has_a_name() -> None:
    NewBeneficiary(name="Jeanne", home=HOME, contact_name="Anne, sa fille", contact_phone="06 12 34 56 78")
    with pytest.raises(ValidationError, match="contact_name"):
        NewBeneficiary(name="Jeanne", home=HOME, contact_phone="06 12 34 56 78")

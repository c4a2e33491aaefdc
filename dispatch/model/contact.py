"""Telephone numbers and e-mail addresses: what is taken, and how a number is dialled from anywhere.

In: what somebody typed. Out: the same text, kept as it was typed, or a sentence that says what is wrong; `dialled` gives +33….
Read by the intake models, by whoever chooses how a person is told something, and by channels.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

#: Mobile numbers of the overseas departments begin like those of the mainland, and have a country code of their own.
_OVERSEAS = {
    "262": ("0262", "0263", "0269", "0639", "0692", "0693"),
    "590": ("0590", "0690", "0691"),
    "594": ("0594", "0694"),
    "596": ("0596", "0696", "0697"),
}
_CODE_OF = {begins: code for code, those in _OVERSEAS.items() for begins in those}
_INVENTED = "063998"  # nobody's, kept free for films and examples
_MOBILE = ("+336", "+337", "+262639", "+262692", "+262693", "+590690", "+590691", "+594694", "+596696", "+596697")
_FRENCH = ("+33", *(f"+{code}" for code in _OVERSEAS))
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9-]{1,63})+")


def dialled(phone: str | None) -> str | None:
    """A number as it is dialled from anywhere, such as +33612345678; None for what is none, also if it was filed unchecked."""
    try:
        return _dialled(phone) if phone else None
    except ValueError:
        return None


def takes_sms(number: str) -> bool | None:
    """Whether a number as `dialled` gives it can be written to. None: a foreign one, nobody knows."""
    if number.startswith(_FRENCH):
        return number.startswith(_MOBILE)
    return None


def _dialled(phone: str) -> str:
    digits = re.sub(r"[ .()-]", "", phone)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if re.search(r"\+33 ?\(?0", phone) or digits.startswith("+330"):
        raise ValueError("has a 0 behind +33: write +33 6 12 34 56 78 or 06 12 34 56 78")
    if not digits.startswith("+"):
        if not re.fullmatch(r"0[1-9][0-9]{8}", digits):
            raise ValueError("must be ten digits such as 06 12 34 56 78, or begin with + and the country")
        code = "33" if digits.startswith(_INVENTED) else _CODE_OF.get(digits[:4], "33")
        digits = f"+{code}{digits[1:]}"
    if digits.startswith("+33") and not re.fullmatch(r"\+33[1-9][0-9]{8}", digits):
        raise ValueError("must have nine digits behind +33")
    if not re.fullmatch(r"\+[1-9][0-9]{8,14}", digits):
        raise ValueError("must have 9 to 15 digits behind the +")
    if re.match(r"\+338[1-9]|\+979", digits):
        raise ValueError("is a number that costs extra to call")
    return digits


def _phone(text: str) -> str:
    _dialled(text)
    return text


def _address(text: str) -> str:
    local, _, domain = text.rpartition("@")
    if not _ADDRESS.fullmatch(text) or ".." in text or len(local) > 64 or text != text.strip():
        raise ValueError("must be an e-mail address such as jeanne@example.org")
    return f"{local}@{domain.lower()}"


Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 .()-]{3,24}$"), AfterValidator(_phone)]
Email = Annotated[str, StringConstraints(min_length=3, max_length=254), AfterValidator(_address)]

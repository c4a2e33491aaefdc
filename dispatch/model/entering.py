"""What is sent to be let in: links, passwords, and the keys of systems. Strict, as `model.intake`; taken by the API."""

import unicodedata
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from dispatch.model.contact import Email
from dispatch.model.intake import Intake, KeyScope, Password, RowId, Token, example


class NewLink(Intake):
    """A way in, once, for a volunteer or beneficiary without an account."""

    model_config = example({"role": "driver", "holder_id": "6f1a3f0c-6f0b-4a5e-8f5e-0d2a9c1f7b10", "hours": 24})

    role: Literal["driver", "beneficiary"]
    holder_id: RowId
    hours: int = Field(72, ge=1, le=720)


class Opening(Intake):
    """The first password of an account, or a new one."""

    model_config = example({"token": "0f" * 32, "password": "un chat dort sur le toit"})

    token: Token = Field(description="Of the link.")
    password: Password


class LinkToken(Intake):
    """What a one-time link carries."""

    model_config = example({"token": "0f" * 32})

    token: Token


class Credentials(Intake):
    """Who logs in."""

    model_config = example({"email": "claire@example.org", "password": "un chat dort sur le toit", "code": "123456"})

    email: Email
    password: Annotated[
        str, StringConstraints(min_length=1, max_length=200), AfterValidator(lambda text: unicodedata.normalize("NFC", text))
    ]
    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")] | None = Field(None, description="Of the second factor; staff need it.")


class NewKey(Intake):
    """A key of this territory."""

    model_config = example({"role": "partner", "days": 365})

    role: Literal["manager", "coordinator", "driver", "beneficiary", "prescriber", "partner", "auditor"]
    holder_id: RowId | None = Field(None, description="The volunteer or beneficiary who will hold it.")
    days: int | None = Field(None, ge=1, le=3650, description="The key ends after so many days.")
    scopes: Annotated[tuple[KeyScope, ...], Field(strict=False, min_length=1, max_length=30)] | None = Field(
        None, description="All that the role may when absent; see docs/authorization.md.", examples=[["people:read", "trips:write"]]
    )

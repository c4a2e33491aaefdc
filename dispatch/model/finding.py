"""Whom somebody looks for. Taken by the API, read by services."""

from typing import Literal

from pydantic import Field

from dispatch.model.intake import Intake, Line, example


class PersonQuestion(Intake):
    """Whom to look for."""

    model_config = example({"text": "Roussel", "kind": "beneficiary"})

    text: Line = Field(description="The beginnings of names, in any order and without accents if need be; or the end of a phone number.")
    kind: Literal["beneficiary", "volunteer"] = "beneficiary"
    limit: int = Field(10, ge=1, le=50)

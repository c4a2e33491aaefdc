"""What the API answers about who may ask for rides. What it takes is in `dispatch.model.eligibility`."""

import datetime as dt
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from dispatch.service.eligibility import Standing


class EligibilityOut(BaseModel):
    """What is written."""

    model_config = ConfigDict(from_attributes=True)

    kind: str = Field(examples=["unconditional", "conditional", "temporary"])
    valid_from: dt.date | None
    valid_until: dt.date | None = Field(description="The last day.")
    purposes: list[str] = Field(description="Empty: for any.")
    rides_a_month: int | None
    companion: bool
    proof: str = Field(examples=["paper", "referrer", "declared"])
    seen_on: dt.date | None
    written_by: UUID | None = Field(description="The key or account of who wrote it.")
    written_at: dt.datetime


class StandingOut(BaseModel):
    """How somebody stands."""

    asked: bool = Field(
        description="The territory asks for eligibility (`rules.eligibility.rule`); without it everybody may ask for rides."
    )
    eligibility: EligibilityOut | None = Field(description="Null: nothing is written.")
    rides_beyond: int = Field(description="Accepted rides to come on days that it does not cover. They stay; cancel or renew.")
    taken_up: int = Field(description="Dates of series that have a ride now, and had none for want of eligibility.")

    @classmethod
    def of(cls, standing: Standing) -> Self:
        """As it is now."""
        told = {name: getattr(standing, name) for name in ("asked", "rides_beyond", "taken_up")}
        return cls(**told, eligibility=None if standing.row is None else EligibilityOut.model_validate(standing.row))

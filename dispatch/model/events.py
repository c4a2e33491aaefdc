"""What can happen to a plan that people have been told, and what could be done about it.

Read by `dispatch.engine.react`; made from calls, taps and messages. Ids are those of the `Day`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from dispatch.model.day import Day, Direction, Id, Request
from dispatch.model.plans import Levels, Plan, Touched


class _Noun(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class NewRequest(_Noun):
    """Somebody asks for a ride today."""

    kind: Literal["new_request"] = "new_request"
    request: Request


class Cancelled(_Noun):
    """A person calls off one way, or both."""

    kind: Literal["cancelled"] = "cancelled"
    request: Id
    leg: Direction | None = Field(None, description="null: both ways.")


class NoShow(_Noun):
    """Nobody was at the door. Without the way there, there is no way back either."""

    kind: Literal["no_show"] = "no_show"
    request: Id
    leg: Direction


class VolunteerLate(_Noun):
    """A volunteer leaves, or goes on, so much later than planned."""

    kind: Literal["volunteer_late"] = "volunteer_late"
    driver: Id
    minutes: int = Field(ge=1, le=600)


class VolunteerGone(_Noun):
    """A volunteer cannot drive any more today."""

    kind: Literal["volunteer_gone"] = "volunteer_gone"
    driver: Id


Event = Annotated[NewRequest | Cancelled | NoShow | VolunteerLate | VolunteerGone, Field(discriminator="kind")]


class Proposal(_Noun):
    """One way to go on. `plan` is whole, legal and proved; the rest says what it means for people."""

    how: Literal["insert", "repair", "leave"] = Field(description="One place found; more was moved; nothing more is done.")
    plan: Plan
    touched: tuple[Touched, ...] = Field(description="Promises that change: these people must be told.")
    served: tuple[str, ...] = Field(description="Ways with a volunteer that had none, or are new.")
    without: tuple[str, ...] = Field(description="Ways that lose their volunteer, and new ones that find none.")
    km: float = Field(description="More than in the plan as it was; less is negative.")
    levels: Levels
    sentence: str = Field(description="French.")
    sentence_en: str


class Reaction(_Noun):
    """The day after the event, and what could be done, the best first."""

    day: Day
    proposals: tuple[Proposal, ...]

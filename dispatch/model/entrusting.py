"""Giving ways to volunteers by hand: what a coordinator says, what is said of each volunteer; and an answer to several ways.

Taken by the API; read by `engine.entrust`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

from pydantic import Field

from dispatch.model.intake import DeclineReason, Intake, RowId, example
from dispatch.model.plans import Reason

AgainReason = Literal["called", "free_now", "urgent", "mistake", "other"]
#: By which way an answer came.
Via = Literal["account", "phone", "link", "sms"]
AGAIN_REASONS: tuple[AgainReason, ...] = get_args(AgainReason)
#: Why this volunteer cannot, in words: the first rule in the way.
CANNOT: Mapping[Reason, tuple[str, str]] = MappingProxyType(
    {
        Reason.UNREACHABLE: ("L'adresse n'est pas accessible par la route.", "The address cannot be reached by road."),
        Reason.REFUSED_PAIR: ("Ces deux personnes ne roulent pas ensemble.", "These two do not ride together."),
        Reason.NEEDS_UNMET: ("Sa voiture ou ses possibilités ne conviennent pas.", "The car or the abilities do not fit."),
        Reason.CAPACITY: ("Il n'y a plus de place dans sa voiture à ce moment.", "There is no room in the car at that time."),
        Reason.TOO_FAR: ("Cela dépasse ses kilomètres ou ses trajets du jour.", "It is beyond the kilometres or rides of the day."),
        Reason.NO_DRIVER_WINDOW: ("N'est pas libre à cette heure.", "Is not free at that time."),
        Reason.RIDE_TIME: ("Quelqu'un resterait trop longtemps en voiture.", "Somebody would be in the car for too long."),
        Reason.TIME_LIMIT: ("Ce trajet ne tient pas dans sa tournée.", "This ride does not fit into the run."),
    }
)


class Entrust(Intake):
    """Ask this volunteer about a way, now."""

    model_config = example({"volunteer_id": "6f1a3f0c-6f0b-4a5e-8f5e-0d2a9c1f7b10"})

    volunteer_id: RowId
    both_ways: bool = Field(True, description="The other way too, where it waits for somebody and fits.")
    again_reason: AgainReason | None = Field(None, description="Why a volunteer who said no, or nothing, is asked about it again.")


class Answer(Intake):
    """What a volunteer says to all that he or she was asked together: yes to some ways, no to the others."""

    model_config = example({"accept": [], "reason": "schedule_conflict"})

    accept: tuple[RowId, ...] = Field(
        strict=False, max_length=200, description="`leg_id` of the ways that are driven; all others are declined."
    )
    reason: DeclineReason | None = Field(None, description="Why the others are not; needed where there are any.")


class Send(Intake):
    """Which of a day's proposals volunteers are asked about."""

    model_config = example({"proposals": None})

    proposals: tuple[RowId, ...] | None = Field(
        None, strict=False, min_length=1, max_length=2000, description="`proposal_id` of some ways of the day; all when absent."
    )

"""A wish for a ride on a day that does not matter much: « dans les quinze jours, plutôt le matin ». Strict, as `model.intake`.

Read by the API and `engine.flexible`, which chooses the day.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dispatch.model.intake import Wish, example

PartOfDay = Literal["morning", "afternoon", "any"]
#: When to arrive, in the order in which it is tried: the middle of each part first.
TIMES: Mapping[PartOfDay, tuple[str, ...]] = MappingProxyType(
    {
        "morning": ("10:00", "09:00", "11:00"),
        "afternoon": ("15:00", "14:00", "16:00"),
        "any": ("10:00", "15:00", "09:00", "14:00", "11:00", "16:00"),
    }
)


class NewFlexible(Wish):
    """Within so many days, at a time that suits the volunteers. The answer is an ordinary request: its day and time are chosen at once."""

    model_config = example(
        {
            "beneficiary_id": "6f1a3f0c-6f0b-4a5e-8f5e-0d2a9c1f7b10",
            "origin": [2.3969, 46.2883],
            "destination": [2.4102, 46.3007],
            "within_days": 15,
            "part_of_day": "morning",
            "stay": 60,
        }
    )

    within_days: int = Field(15, ge=1, le=60, description="From tomorrow on; usually 7, 15 or 30.")
    part_of_day: PartOfDay = "any"
    weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...] = Field(
        (1, 2, 3, 4, 5), strict=False, min_length=1, max_length=7, description="On which days; 1 is Monday."
    )
    stay: int | None = Field(60, ge=5, le=600, description="Minutes there before the way back; null: no way back, or one on call.")

    @model_validator(mode="after")
    def _weekdays_once(self) -> Self:
        if len(set(self.weekdays)) < len(self.weekdays):
            raise ValueError("give each weekday once")
        return self

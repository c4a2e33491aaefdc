"""What people tell about rides that come again every week, and about single dates of them.

In: weekdays, wall-clock times, the same wish as for a single ride. Strict, as `model.intake`. Read by the API and `service.series`.
"""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from dispatch.model.clock import ServiceDate
from dispatch.model.intake import Intake, Wish, example

WallTime = Annotated[
    str,
    StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$"),
    Field(description="On the wall of the territory, in summer and in winter.", examples=["10:40"]),
]
FreeOn = Literal["public", "school"]
IsoWeekday = Annotated[int, Field(ge=1, le=7)]
LONGEST = timedelta(days=400)  # a pause


class Times(Intake):
    """When, on the wall of the territory."""

    arrive_by: WallTime | None = None
    depart_after: WallTime | None = None
    return_after: WallTime | None = None

    @model_validator(mode="after")
    def _return_follows(self) -> Self:
        moment = self.arrive_by or self.depart_after
        if self.return_after is not None and moment is not None and self.return_after < moment:
            raise ValueError("return_after must not be before the way there")
        return self


class Pattern(Times, Wish):
    """What is wished for on which days of the week."""

    weekdays: tuple[IsoWeekday, ...] = Field(strict=False, min_length=1, max_length=7, description="1 is Monday.")
    every_weeks: int = Field(1, ge=1, le=8, description="2: every other week, counted from that of first_day.")
    except_holidays: tuple[FreeOn, ...] = Field(
        (), strict=False, max_length=2, description="No rides on public holidays, or in the territory's school holidays."
    )


class NewSeries(Pattern):
    """A wish that comes again every week, or every other one."""

    model_config = example(
        {
            "beneficiary_id": "6f1a3f0c-6f0b-4a5e-8f5e-0d2a9c1f7b10",
            "origin": [2.3969, 46.2883],
            "destination": [2.4102, 46.3007],
            "weekdays": [1, 3, 5],
            "arrive_by": "07:30",
            "return_after": "12:30",
            "first_day": "2026-11-30",
            "except_holidays": ["public"],
        }
    )

    first_day: ServiceDate = Field(strict=False, description="From here on; of a change: what was before holds until the day before.")
    last_day: ServiceDate | None = Field(None, strict=False, description="Until here; without it until it is ended.")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.arrive_by is None) == (self.depart_after is None):
            raise ValueError("give either arrive_by or depart_after, not both and not neither")
        if self.return_after is not None and self.return_open:
            raise ValueError("give either return_after or return_open: a time that is known is not open")
        if len(set(self.weekdays)) < len(self.weekdays):
            raise ValueError("give each weekday once")
        if self.last_day is not None and self.last_day < self.first_day:
            raise ValueError("last_day must not be before first_day")
        return self


class SeriesEnd(Intake):
    """The last day of a series."""

    model_config = example({"last_day": "2026-12-18"})

    last_day: ServiceDate = Field(strict=False, description="Rides after it are not needed any more.")


class SeriesDays(Intake):
    """One day, or a pause."""

    model_config = example({"first_day": "2026-12-21", "last_day": "2027-01-03"})

    first_day: ServiceDate = Field(strict=False)
    last_day: ServiceDate | None = Field(None, strict=False, description="The first day alone when absent.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last_day is not None and self.last_day < self.first_day:
            raise ValueError("last_day must not be before first_day")
        if self.last_day is not None and self.last_day - self.first_day > LONGEST:
            raise ValueError(f"lasts more than {LONGEST.days} days: end the series instead")
        return self


class SeriesMove(Times):
    """One ride of a series on another day, or at another time."""

    model_config = example({"day": "2026-12-02", "to_day": "2026-12-03"})

    day: ServiceDate = Field(strict=False, description="As the series has it.")
    to_day: ServiceDate = Field(strict=False, description="The same day, for another time only.")

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        if self.arrive_by is not None and self.depart_after is not None:
            raise ValueError("give either arrive_by or depart_after; neither keeps the time")
        return self

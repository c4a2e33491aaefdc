"""What the API answers about series. What it takes is in `dispatch.model.series`."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from dispatch.model.series import Pattern
from dispatch.service.series import Outcome, pattern_of
from dispatch.storage.series_tables import RideSeries, SeriesDate
from dispatch.storage.store import Store


class PatternOut(Pattern):
    """What is wished for on which days of the week."""


class SeriesDateOut(BaseModel):
    """A date of a series: its ride, or why there is none."""

    day: dt.date = Field(description="As the series has it.")
    moved_to: dt.date | None
    request_id: UUID | None
    state: str | None = Field(description="Of the request.", examples=["accepted", "cancelled"])
    reason: str | None = Field(
        description="Why there is no ride (docs/requests.md).", examples=["public_holiday", "school_holiday", "skipped", "another_ride"]
    )


class SeriesOut(BaseModel):
    id: UUID
    beneficiary_id: UUID
    first_day: dt.date
    last_day: dt.date | None = Field(description="Null until it is ended; before the first day when it was ended before it began.")
    follows: UUID | None = Field(description="The series that was written anew from this one's first day on.")
    made_until: dt.date = Field(description="Until here rides were asked for; later ones are when their time comes.")
    created_at: dt.datetime
    pattern: PatternOut | None = Field(description="Null once the person was erased.")

    @classmethod
    def of(cls, row: RideSeries) -> Self:
        """A series as it holds now."""
        known = {name: getattr(row, name) for name in SeriesOut.model_fields if name != "pattern"}
        pattern = pattern_of(row).model_dump(include=set(Pattern.model_fields)) if row.wish else None
        return cls.model_validate({**known, "pattern": pattern})


class SeriesDetail(SeriesOut):
    """A series with its dates from today on."""

    dates: list[SeriesDateOut] = []


class SeriesOutcome(BaseModel):
    """What it came to."""

    series: SeriesOut
    made: list[SeriesDateOut] = Field(description="Dates that have a ride now.")
    not_made: list[SeriesDateOut] = Field(description="Dates that have none, with the reason.")
    kept: list[SeriesDateOut] = Field(
        description="Rides that stay: a volunteer has agreed to drive, or they were moved one by one. To end them, cancel them."
    )
    cancelled: int = Field(description="Rides that are not needed any more.")
    eligible_until: dt.date | None = Field(description="The person's eligibility ends on this day, and the series goes on after it.")

    @classmethod
    def of(cls, store: Store, outcome: Outcome) -> Self:
        """With what became of each ride."""
        lists = (outcome.made, outcome.not_made, outcome.kept)
        made, not_made, kept = (dates_out(store, dates) for dates in lists)
        series = SeriesOut.of(outcome.series)
        told = {"cancelled": outcome.cancelled, "eligible_until": outcome.eligible_until}
        return cls(series=series, made=made, not_made=not_made, kept=kept, **told)


def dates_out(store: Store, dates: Iterable[SeriesDate]) -> list[SeriesDateOut]:
    """In their order."""
    rows = list(dates)
    requests: Mapping[UUID, object] = store.requests(row.request_id for row in rows if row.request_id is not None)
    return [
        SeriesDateOut(
            **{name: getattr(row, name) for name in ("day", "moved_to", "request_id", "reason")},
            state=getattr(requests.get(row.request_id), "state", None) if row.request_id else None,
        )
        for row in rows
    ]

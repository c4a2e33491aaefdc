"""What is said about a ride while it is driven, and the rules of the day. Taken by the API; read by `service.status` and the tables."""

from typing import Literal

from pydantic import Field

from dispatch.model.intake import Instant, Intake, Point, RowId, example

Tapped = Literal["en_route", "at_pickup", "on_board", "completed", "no_show", "missed"]
TAPS: tuple[Tapped, ...] = ("en_route", "at_pickup", "on_board", "completed", "no_show", "missed")
#: A way goes forward along these.
FORWARD = ("confirmed", "en_route", "at_pickup", "on_board", "completed")


class NewTap(Intake):
    """How far a ride is, at the time of the tap: also told later, when there was no network."""

    model_config = example({"id": "6f1a3f0c-6f0b-4a5e-8f5e-0d2a9c1f7b10", "state": "at_pickup", "at": "2026-11-25T10:02:00+01:00"})

    id: RowId = Field(description="The phone's own: sent again, it is the same tap.")
    state: Tapped = Field(description="`no_show` after the wait rule only; `missed` by staff only.")
    at: Instant


class NewPosition(Intake):
    """Where a phone is, if its owner shares that while driving."""

    model_config = example({"point": [2.3969, 46.2883], "accuracy_m": 12, "at": "2026-11-25T10:02:00+01:00"})

    point: Point
    accuracy_m: int = Field(ge=0, le=100_000, description="How far off it may be, as the phone says.")
    at: Instant

"""What is written of a person's eligibility, held against rides."""

import datetime as dt

import pytest
from pydantic import ValidationError

from dispatch.model.eligibility import NewEligibility
from dispatch.rules.eligibility import lacking, used_up

DAY = dt.date(2026, 12, 10)


def missing(day: dt.date = DAY, purpose: str | None = None, seats: int = 1, **terms: object) -> str | None:
    """The field that is told to be in the way."""
    written = NewEligibility.model_validate({"proof": "paper", "kind": "conditional", "rides_a_month": 9, **terms})
    found = lacking(written, day, purpose, seats, "arrive_by")
    assert found is None or found.code == "not_eligible"
    return None if found is None else found.field


def test_both_the_first_and_the_last_day_are_covered() -> None:
    span = {"valid_from": "2026-12-10", "valid_until": "2026-12-12"}
    days = [dt.date(2026, 12, number) for number in range(9, 14)]
    assert [missing(day, **span) for day in days] == ["arrive_by", None, None, None, "arrive_by"]


def test_each_condition_is_held_against_the_wish() -> None:
    assert missing() is None
    assert missing(purposes=["medical"]) == missing(purpose="grocery", purposes=["medical"]) == "purpose"
    assert missing(purpose="medical", purposes=["medical"]) is None
    assert (missing(companion=True), missing(companion=True, seats=2)) == ("seats", None)
    assert lacking(None, DAY, None, 1, "arrive_by").field == "beneficiary_id"  # type: ignore[union-attr]
    assert [used_up(2, rides, "arrive_by") is None for rides in (0, 1, 2, 3)] == [True, True, False, False]


@pytest.mark.parametrize(
    "bad",
    [
        {"kind": "temporary"},
        {"kind": "conditional"},
        {"kind": "unconditional", "companion": True},
        {"kind": "unconditional", "valid_from": "2026-12-02", "valid_until": "2026-12-01"},
        {"kind": "conditional", "purposes": ["medical", "medical"]},
        {"kind": "conditional", "purposes": ["diabetes"]},
        {"kind": "conditional", "rides_a_month": 0},
        {"kind": "unconditional", "note": "diabetes"},
    ],
)
def test_what_contradicts_itself_or_tells_of_health_is_not_written(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        NewEligibility.model_validate({"proof": "paper", **bad})

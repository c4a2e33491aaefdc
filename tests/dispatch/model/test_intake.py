"""What people may tell us, and what not; the same verdict from JSON text and from parsed JSON, as the API gives it."""

import json
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from dispatch.model.intake import Decline, NewAvailability, NewBeneficiary, NewRound, NewTerritory, NewTrip, NewVolunteer

GOOD: dict[type[BaseModel], dict[str, Any]] = {
    NewTerritory: {"name": "Pays"},
    NewBeneficiary: {"name": "Jeanne Roussel", "home": [2.3, 46.3]},
    NewVolunteer: {"name": "Jean Morel", "home": [2.3, 46.3]},
    NewAvailability: {"starts_at": "2026-11-24T08:00:00+01:00", "ends_at": "2026-11-24T12:00:00+01:00"},
    NewTrip: {
        "beneficiary_id": "0f0f0f0f-aaaa-4bbb-8ccc-000000000000",
        "origin": [2.3, 46.3],
        "destination": [2.4, 46.4],
        "arrive_by": "2026-11-24T10:40:00+01:00",
        "return_after": "2026-11-24T11:40:00+01:00",
    },
    NewRound: {"date": "2026-11-24"},
    Decline: {"reason": "too_far"},
}


def verdict(model: type[BaseModel], sent: dict[str, Any]) -> BaseModel | set[str]:
    """The model, or the fields that are refused; both ways in must agree."""
    results: list[Any] = []
    for read in (lambda: model.model_validate(sent), lambda: model.model_validate_json(json.dumps(sent))):
        try:
            results.append(read())
        except ValidationError as error:
            results.append({str(row["loc"][0]) if row["loc"] else "" for row in error.errors()})
    assert results[0] == results[1], results
    found: BaseModel | set[str] = results[0]
    return found


@pytest.mark.parametrize("model", GOOD)
def test_what_is_good_is_taken(model: type[BaseModel]) -> None:
    assert isinstance(verdict(model, GOOD[model]), model)


@pytest.mark.parametrize("model", GOOD)
def test_unknown_fields_are_refused_everywhere(model: type[BaseModel]) -> None:
    assert verdict(model, {**GOOD[model], "surprise": 1}) == {"surprise"}


@pytest.mark.parametrize("model", GOOD)
def test_nothing_required_may_be_missing(model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        if field.is_required():
            assert verdict(model, {key: value for key, value in GOOD[model].items() if key != name}) == {name}


WRONG: list[tuple[type[BaseModel], str, Any]] = [
    *((NewBeneficiary, "name", value) for value in ("", " ", "\u200b", "a\x00", "a\nb", "\u202ea", "\ue000", "x" * 201, 5, None, ["a"])),
    *((NewBeneficiary, "home", value) for value in ([2.3, 90.1], [-180.1, 0], [2.3], [2.3, 46.3, 1])),
    *((NewBeneficiary, "home", value) for value in (["2.3", "46.3"], [True, 46.3], "x", None)),
    *((NewBeneficiary, "phone", value) for value in ("abc", "06", "+", "06\n", "1" * 30)),
    *((NewBeneficiary, "wheelchair", value) for value in (1, 0, "true", None)),
    *((NewBeneficiary, "load_minutes", value) for value in (-1, 61, 1.5, "3", True)),
    *((NewBeneficiary, "needs", value) for value in ("cane", ["Cane"], ["a" * 41], [1], ["x"] * 2 + ["cane"] * 29)),
    *((NewVolunteer, "seats", value) for value in (-1, 9, 10**30, True, "4")),
    *((NewVolunteer, "max_km", value) for value in (-0.1, 2001, "100", True)),
    *((NewTerritory, "timezone", value) for value in ("Paris", "../etc", 1)),
    *((NewTerritory, "policy", value) for value in ({"cents_per_km": -1}, {"unknown": 1}, [])),
    *((NewTrip, "arrive_by", value) for value in ("2026-11-24T10:40:00", "2026-11-24", "1795000000", "10:40")),
    *((NewTrip, "arrive_by", value) for value in (1795000000, 1795000000.5, True, [])),
    *((NewTrip, "seats", value) for value in (0, 9, "1", 1.0001)),
    *((NewTrip, "priority", value) for value in (0, 1001)),
    *((NewTrip, "same_driver", value) for value in ("Prefer", "", None)),
    *((NewTrip, "beneficiary_id", value) for value in ("x", 5, "-" * 36, None)),
    *((NewRound, "date", value) for value in ("24/11/2026", "2026-13-01", 20261124, "2026-11-24T00:00:00", "20261124")),
    *((NewRound, "seconds", value) for value in (0.1, 601, "5")),
    *((Decline, "reason", value) for value in ("", "TOO_FAR", "tired", 1)),
]


@pytest.mark.parametrize(("model", "field", "value"), WRONG)
def test_a_wrong_value_is_refused_by_its_field(model: type[BaseModel], field: str, value: Any) -> None:
    assert verdict(model, {**GOOD[model], field: value}) == {field}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_ordinary_number_is_refused(value: float) -> None:
    for field, sent in (("home", [2.3, value]), ("max_km", value)):
        with pytest.raises(ValidationError):
            NewVolunteer.model_validate({**GOOD[NewVolunteer], field: sent})


@pytest.mark.parametrize("name", ["O'Brien", "Le Goff-Nguyen", "Cœur", "Zoë 🙂", "Ἀθηνᾶ", "<b>", "{{7*7}}", "=1+1", "x" * 200])
def test_names_as_people_have_them_are_taken(name: str) -> None:
    found = verdict(NewBeneficiary, {**GOOD[NewBeneficiary], "name": name})
    assert isinstance(found, NewBeneficiary)
    assert found.name == name


def test_names_are_normalised_and_trimmed() -> None:
    found = verdict(NewBeneficiary, {**GOOD[NewBeneficiary], "name": "  Ele\u0301onore "})
    assert isinstance(found, NewBeneficiary)
    assert found.name == "El\u00e9onore"


@pytest.mark.parametrize(
    "changes",
    [
        {"arrive_by": None},
        {"depart_after": "2026-11-24T10:40:00+01:00"},
        {"return_after": "2026-11-24T10:39:00+01:00"},
        {"return_after": "2026-11-25T10:41:00+01:00"},
    ],
)
def test_times_that_contradict_each_other_are_refused(changes: dict[str, Any]) -> None:
    assert verdict(NewTrip, {**GOOD[NewTrip], **changes}) == {""}


@pytest.mark.parametrize("ends", ["2026-11-24T08:00:00+01:00", "2026-11-24T07:00:00+01:00", "2026-11-25T08:00:01+01:00"])
def test_spans_end_after_they_start_and_within_a_day(ends: str) -> None:
    assert verdict(NewAvailability, {**GOOD[NewAvailability], "ends_at": ends}) == {""}


def test_offsets_are_what_counts_not_how_they_are_written() -> None:
    found = verdict(NewTrip, {**GOOD[NewTrip], "arrive_by": "2026-11-24T09:40:00Z"})
    assert found == verdict(NewTrip, GOOD[NewTrip])

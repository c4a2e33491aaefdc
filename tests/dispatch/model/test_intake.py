"""What people may tell us, and what not; the same verdict from JSON text and from parsed JSON, as the API gives it."""

import datetime as dt
import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
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


#: Whole numbers with the least and the most that is taken.
COUNTS: list[tuple[type[BaseModel], str, int, int]] = [
    (NewBeneficiary, "boot", 0, 20),
    (NewBeneficiary, "load_minutes", 0, 60),
    (NewBeneficiary, "unload_minutes", 0, 60),
    (NewBeneficiary, "max_ride_minutes", 1, 1440),
    (NewVolunteer, "seats", 0, 8),
    (NewVolunteer, "wheelchair_places", 0, 4),
    (NewVolunteer, "boot", 0, 20),
    (NewVolunteer, "max_rides", 0, 100),
    (NewVolunteer, "max_rides_week", 0, 500),
    (NewVolunteer, "wished_rides", 1, 500),
    (NewVolunteer, "max_duty_minutes", 1, 1440),
    (NewVolunteer, "child_seats", 0, 4),
    (NewVolunteer, "fiscal_power", 1, 50),
    (NewTrip, "window_minutes", 0, 1440),
    (NewTrip, "return_window_minutes", 0, 1440),
    (NewTrip, "seats", 1, 8),
    (NewTrip, "child_seats", 0, 4),
    (NewTrip, "stay_minutes", 1, 1440),
    (NewTrip, "load_minutes", 0, 60),
    (NewTrip, "unload_minutes", 0, 60),
    (NewTrip, "priority", 1, 1000),
    (NewRound, "seed", 0, 2**31 - 1),
]


@pytest.mark.parametrize(("model", "field", "least", "most"), COUNTS)
def test_counts_are_whole_numbers_within_their_limits(model: type[BaseModel], field: str, least: int, most: int) -> None:
    for value in (least, most):
        assert getattr(verdict(model, {**GOOD[model], field: value}), field) == value
    for wrong in (least - 1, most + 1, 10**30, True, False, float(least), least + 0.5, str(least), [least], {"n": least}):
        assert verdict(model, {**GOOD[model], field: wrong}) == {field}


def test_no_whole_number_is_left_out_of_these_tests() -> None:
    fields = {(model, name) for model in GOOD for name, field in model.model_fields.items() if field.annotation in (int, int | None)}
    assert fields == {(model, field) for model, field, _, _ in COUNTS}


@pytest.mark.parametrize(("model", "field"), [(model, field) for model in GOOD for field in model.model_fields])
def test_no_field_takes_nonsense(model: type[BaseModel], field: str) -> None:
    for nonsense in ({"x": 1}, [["x"]], "\u200b", -1.5):
        assert verdict(model, {**GOOD[model], field: nonsense}) == {field}


@pytest.mark.parametrize("field", ["home", "max_km"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e308])
def test_numbers_beyond_numbers_are_refused_by_field_from_text_too(field: str, value: float) -> None:
    assert verdict(NewVolunteer, {**GOOD[NewVolunteer], field: [2.3, value] if field == "home" else value}) == {field}


@pytest.mark.parametrize("letter", ["\u00ad", "\u200d", "\u2060", "\ufeff", "\u0085", "\x1b", "\U000e0041", "\u0378", "\uffff"])
def test_letters_that_cannot_be_seen_are_refused_within_a_name(letter: str) -> None:
    assert verdict(NewBeneficiary, {**GOOD[NewBeneficiary], "name": f"Jean{letter}ne"}) == {"name"}


@pytest.mark.parametrize("field", ["name", "phone"])
def test_half_a_character_is_refused_either_way(field: str) -> None:
    sent = {**GOOD[NewBeneficiary], field: "0612\ud83d"}
    for read in (NewBeneficiary.model_validate, lambda parsed: NewBeneficiary.model_validate_json(json.dumps(parsed))):
        with pytest.raises(ValidationError):
            read(sent)


@given(st.text(max_size=200))
def test_a_name_that_was_taken_can_be_stored_and_is_taken_again_as_it_is(text: str) -> None:
    try:
        name = NewTerritory(name=text).name
    except ValidationError:
        return
    assert name == unicodedata.normalize("NFC", name).strip() != ""
    assert name.encode().decode() == name
    assert NewTerritory(name=name).name == name


def test_a_name_is_not_longer_than_its_column_after_normalising() -> None:
    found = verdict(NewBeneficiary, {**GOOD[NewBeneficiary], "name": "\U0001d160" * 200})
    assert not isinstance(found, NewBeneficiary) or len(found.name) <= 200


@pytest.mark.parametrize("letter", ["\u2028", "\u2029"])
def test_a_name_is_one_line(letter: str) -> None:
    assert verdict(NewBeneficiary, {**GOOD[NewBeneficiary], "name": f"Jean{letter}ne"}) == {"name"}


@pytest.mark.parametrize("day", ["9999-12-31T1{}:00:00-14:00", "0001-01-01T0{}:00:00+14:00"])
def test_an_instant_beyond_the_calendar_is_refused(day: str) -> None:
    found = verdict(NewAvailability, {"starts_at": day.format(1), "ends_at": day.format(2)})
    assert isinstance(found, set)
    assert found <= {"starts_at", "ends_at"}


@pytest.mark.parametrize(("hours", "taken"), [(24, True), (24.001, False), (0, True), (-0.001, False)])
def test_the_way_back_is_at_most_a_day_after_the_way_there(hours: float, taken: bool) -> None:
    there = dt.datetime(2026, 11, 24, 10, 40, tzinfo=dt.UTC)
    times = {"arrive_by": there.isoformat(), "return_after": (there + dt.timedelta(hours=hours)).isoformat()}
    assert isinstance(verdict(NewTrip, {**GOOD[NewTrip], **times}), NewTrip) is taken


def test_the_moment_of_a_trip_is_whichever_time_was_given() -> None:
    for field in ("arrive_by", "depart_after"):
        sent = {key: value for key, value in GOOD[NewTrip].items() if key != "arrive_by"}
        found = verdict(NewTrip, {**sent, field: "2026-11-24T10:40:00+01:00"})
        assert isinstance(found, NewTrip)
        assert found.moment == dt.datetime(2026, 11, 24, 9, 40, tzinfo=dt.UTC)

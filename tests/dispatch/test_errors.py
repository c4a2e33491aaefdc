"""The error trees: codes of their own, sentences, what to do next; and refusals that never repeat a value."""

import contextlib
import functools
import inspect
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError

import dispatch.errors
import routing.errors
from dispatch.errors import BadInput, DispatchError, Fault, pointer_of
from dispatch.model.day import Day
from routing.errors import RoutingError
from tests.dispatch.planning.days import random_day


def tree(root: type[Any]) -> list[type[Any]]:
    return [root, *(found for child in root.__subclasses__() for found in tree(child))]


ERRORS = [*tree(DispatchError), *tree(RoutingError)]


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_says_what_happened_and_what_to_do_and_is_drawn_in_the_tree(error: type[Any]) -> None:
    assert error.__doc__.endswith(".")
    assert error.action.endswith(".") or error.action.endswith("`.")
    module = dispatch.errors if issubclass(error, DispatchError) else routing.errors
    assert error.__name__ in (module.__doc__ or "")


def test_codes_are_unique() -> None:
    codes = [error.code for error in ERRORS]
    assert len(set(codes)) == len(codes)


class Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(max_length=5)
    count: int = Field(ge=1, le=3)
    kind: bool


VALUES = st.one_of(st.text().map(lambda text: f"canary{text}"), st.floats(), st.none())


@given(st.dictionaries(st.sampled_from(["name", "count", "kind"]), VALUES))
def test_a_refusal_names_fields_and_never_values(sent: dict[str, Any]) -> None:
    try:
        Sent.model_validate(sent)
    except ValidationError as error:
        refusal = BadInput.from_validation(error, "file.json")
        assert "canary" not in str(refusal)
        assert refusal.faults
        assert all(fault.pointer in Sent.model_fields and fault.sentence for fault in refusal.faults)


@pytest.mark.parametrize("error", [error for error in ERRORS if error is not BadInput])
def test_without_a_sentence_of_its_own_an_error_says_its_first_line(error: type[Any]) -> None:
    assert str(error()) == inspect.cleandoc(error.__doc__)
    assert str(error("Another sentence.")) == "Another sentence."


@pytest.mark.parametrize("error", ERRORS)
def test_codes_and_sentences_are_of_each_class_and_actions_are_sentences(error: type[Any]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", vars(error)["code"])
    assert "__doc__" in vars(error)
    assert error.action[0].isupper()
    assert len(error.action.split()) > 3


def test_the_drawn_trees_hold_nothing_else() -> None:
    for module, root in ((dispatch.errors, DispatchError), (routing.errors, RoutingError)):
        drawn = re.findall(r"^ +[|+ -]*?([A-Z][A-Za-z]+)(?:  |$)", module.__doc__ or "", re.MULTILINE)
        assert sorted(drawn) == sorted(error.__name__ for error in tree(root))


def test_every_fault_has_a_line_with_its_file_and_field() -> None:
    faults = [Fault("drivers[0].id", "x", "is wrong"), Fault("", "y", "is empty")]
    assert str(BadInput(faults, "day.json")).splitlines() == ["day.json: drivers[0].id: is wrong", "day.json: the whole: is empty"]
    assert str(BadInput(faults)).splitlines() == ["drivers[0].id: is wrong", "the whole: is empty"]


@pytest.mark.parametrize(
    ("path", "written"),
    [((), ""), (("a",), "a"), (("a", 3, "b", 1), "a[3].b[1]"), ((0,), "[0]"), (("a", "b"), "a.b")],
)
def test_a_field_is_written_as_people_write_it(path: tuple[int | str, ...], written: str) -> None:
    assert pointer_of(path) == written


MARK = "zqcanaryzq"
NUMBER = 987654321987
CANARIES = st.one_of(
    st.text(max_size=30).map(lambda text: f"{text}{MARK}"),
    st.text(max_size=30).map(lambda text: f"{MARK}{text}"),
    st.sampled_from([NUMBER, -NUMBER, NUMBER + 0.5, str(NUMBER), [MARK], {"id": MARK}, [[MARK]], f"12:{MARK}", f"2026-11-24T{MARK}"]),
)


def leaves(part: Any, at: tuple[int | str, ...] = ()) -> list[tuple[int | str, ...]]:
    """The path of every value and every branch of parsed JSON."""
    inside = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    return [*([at] if at else []), *(found for key, value in inside for found in leaves(value, (*at, key)))]


@given(st.data())
def test_a_refused_day_never_repeats_what_stood_in_any_field(data: st.DataObject) -> None:
    day = json.loads(random_day(5, requests=3, drivers=2).model_dump_json())
    for path in data.draw(st.lists(st.sampled_from(leaves(day)), min_size=1, max_size=3)):
        with contextlib.suppress(KeyError, IndexError, TypeError):  # an earlier canary may stand where this path led
            functools.reduce(lambda part, key: part[key], path[:-1], day)[path[-1]] = data.draw(CANARIES)
    try:
        Day.model_validate_json(json.dumps(day))
    except ValidationError as error:
        refusal = BadInput.from_validation(error, "day.json")
        assert MARK not in str(refusal)
        assert str(NUMBER) not in str(refusal)
        assert all(fault.pointer and fault.sentence for fault in refusal.faults)


def test_a_refusal_never_repeats_a_clock_in_digits_of_another_script() -> None:
    day = {"date": "2026-11-24", "drivers": [{"id": "d", "home": [2.3, 46.3], "shifts": [["08:00", "1\u0660:40"]]}], "requests": []}
    with pytest.raises(ValidationError) as caught:
        Day.model_validate_json(json.dumps(day))
    assert "1\u0660:40" not in str(BadInput.from_validation(caught.value))

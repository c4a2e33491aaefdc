"""The error trees: codes of their own, sentences, what to do next; and refusals that never repeat a value."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError

import dispatch.errors
import routing.errors
from dispatch.errors import BadInput, DispatchError
from routing.errors import RoutingError


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

"""A territory's rules: complete by their defaults, strict in what they take."""

import pytest
from pydantic import ValidationError

from dispatch.model.rules import Rules


def test_rules_written_before_a_section_was_added_are_complete() -> None:
    assert Rules.model_validate({}) == Rules()


@pytest.mark.parametrize(
    "wrong",
    [{"bookings": {}}, {"booking": {"cut_off": "24:00"}}, {"booking": {"notice_minutes": -1}}, {"booking": {"notice_minutes": "5"}}],
)
def test_what_is_no_rule_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Rules.model_validate(wrong)


def test_every_rule_says_what_it_does() -> None:
    for section in Rules.model_fields.values():
        fields = section.annotation.model_fields  # type: ignore[union-attr]
        assert all(field.description for field in fields.values())

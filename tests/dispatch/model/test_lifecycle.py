"""The state tables: every pair of states, and no state out of reach."""

import itertools

import pytest

from dispatch.errors import IllegalMove
from dispatch.model.lifecycle import INITIAL, TABLE, Kind, move, states

PAIRS = [(kind, before, after) for kind in TABLE for before, after in itertools.product(states(kind), repeat=2)]


@pytest.mark.parametrize(("kind", "before", "after"), PAIRS)
def test_only_the_steps_of_the_table_are_possible(kind: Kind, before: str, after: str) -> None:
    if after in TABLE[kind][before]:
        assert move(kind, before, after) == after
    else:
        with pytest.raises(IllegalMove, match=kind):
            move(kind, before, after)


@pytest.mark.parametrize("kind", list(TABLE))
def test_every_state_can_be_reached_from_the_first(kind: Kind) -> None:
    reached, edge = set(), {INITIAL[kind]}
    while edge:
        reached |= edge
        edge = {after for state in edge for after in TABLE[kind][state]} - reached
    assert reached == set(states(kind))


@pytest.mark.parametrize(
    ("kind", "final"),
    [
        ("request", {"cancelled", "closed", "refused"}),
        ("leg", {"completed", "no_show", "missed", "cancelled", "late_cancelled", "unmet"}),
        ("offer", {"declined", "expired", "withdrawn"}),
        ("round", {"done", "failed"}),
        ("engagement", {"refused"}),
        ("credential", {"expired", "replaced", "refused"}),
    ],
)
def test_what_is_over_stays_over(kind: Kind, final: set[str]) -> None:
    assert {state for state in states(kind) if not TABLE[kind][state]} == final


def test_unknown_states_lead_nowhere() -> None:
    with pytest.raises(IllegalMove):
        move("leg", "flying", "pending")


@pytest.mark.parametrize("kind", list(TABLE))
def test_every_state_has_a_way_to_an_end_and_only_a_lost_round_starts_anew(kind: Kind) -> None:
    ends = {state for state in states(kind) if not TABLE[kind][state]}
    while more := {state for state in states(kind) if TABLE[kind][state] & ends} - ends:
        ends |= more
    assert ends == set(states(kind))
    assert all(after <= set(states(kind)) for after in TABLE[kind].values())
    assert [state for state, after in TABLE[kind].items() if state in after] == (["running"] if kind == "round" else [])


def test_every_kind_has_a_first_state_and_no_table_can_be_changed() -> None:
    assert set(INITIAL) == set(TABLE)
    with pytest.raises(TypeError):
        TABLE["leg"] = {}  # type: ignore[index]
    with pytest.raises(TypeError):
        INITIAL["leg"] = "completed"  # type: ignore[index]

"""Two hundred thousand claims at once: with the database's guards nobody is booked twice, without them many are.

A million: `scripts/bench claims --attempts 1000000`.
"""

import pytest

from benchmarks.claims import fight, harm, make_arena


@pytest.mark.postgis
@pytest.mark.slow
def test_of_racing_claims_none_overlaps_and_none_is_doubled(postgis_server: str) -> None:
    arena = make_arena(postgis_server, "guarded", guarded=True)
    fight(arena, 200_000, seed=1)
    assert harm(arena) == {"overlaps": 0, "doubled": 0}
    assert arena.outcomes["won"] > 10_000
    assert set(arena.outcomes) == {"won", "23505", "23P01"}  # everything else, such as a deadlock, would be lost work


@pytest.mark.postgis
def test_without_the_guards_the_same_claims_do_harm(postgis_server: str) -> None:
    arena = make_arena(postgis_server, "unguarded", guarded=False)
    fight(arena, 2_000, seed=1)
    found = harm(arena)
    assert found["overlaps"] > 0
    assert found["doubled"] > 0

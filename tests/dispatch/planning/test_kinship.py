"""Who is like whom: related legs against a sort of all distances, twins against all that tells two shifts apart."""

import numpy as np
import pytest

from dispatch.planning.kinship import related_legs, twins
from dispatch.planning.problem import Arrays
from tests.dispatch.planning.days import ask, driver, make_day, plane_problem, random_day


def distance(p: Arrays, one: int, other: int) -> int:
    """Of two legs, in seconds: side by side or one after the other, and half of what lies between their moments."""
    (pick, drop), (there, away) = (p.place[2 * leg : 2 * leg + 2] for leg in (one, other))
    apart = abs(int(p.early[2 * one] + p.late[2 * one + 1]) // 2 - int(p.early[2 * other] + p.late[2 * other + 1]) // 2)
    here = min(p.times[pick, there], 86_400) + min(p.times[drop, away], 86_400)
    chain = 2 * min(p.times[drop, there], p.times[away, pick], 86_400)
    return int(min(here, chain)) + apart // 2


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [0, 1, 7, 100])
def test_the_most_related_legs_come_first(seed: int, count: int) -> None:
    p = plane_problem(random_day(seed, requests=20, drivers=3, side_km=15)).arrays
    legs = len(p.priority)
    near = related_legs(p, min(count, legs - 1))
    for leg in range(legs):
        others = sorted((other for other in range(legs) if other != leg), key=lambda other: (distance(p, leg, other), other))
        assert near[leg].tolist() == others[: near.shape[1]]


def test_only_volunteers_whom_nothing_tells_apart_are_twins() -> None:
    drivers = (driver("a"), driver("b"), driver("c", seats=2), driver("d", home=(2.31, 46.0)), driver("e"))
    day = make_day(drivers=drivers, requests=(ask(),))
    kind = twins(plane_problem(day).arrays)
    assert kind[0] == kind[1] == kind[4]
    assert len(set(kind[[0, 2, 3]].tolist())) == 3


def test_whom_only_the_last_of_many_stops_tells_apart_are_no_twins() -> None:
    """Few stops are looked at first; those decide nothing alone where they are equal."""
    problem = plane_problem(random_day(3, requests=20, drivers=2, side_km=15))
    p = problem.arrays
    same = {
        name: np.ascontiguousarray(np.stack([getattr(p, name)[0]] * 2))
        for name in ("capacity", "max_metres", "max_rides", "home", "recent_rides")
    }
    same |= {name: np.array([getattr(p, name)[0]] * 2) for name in ("shift_from", "shift_to", "max_duty")}
    both = np.ascontiguousarray(p.allowed[:, [0, 0]])
    q = p._replace(
        **same, allowed=both, bond=p.bond[:, [0, 0]].copy(), shift_driver=np.array([0, 1]), begin=same["home"].copy(),
        closed=np.zeros(2, np.bool_),
        told_driver=np.full_like(p.told_driver, -1), run_of=np.full_like(p.run_of, -1),
    )  # fmt: skip
    assert twins(q).tolist() == [0, 0]
    both[-1, 1] = not both[-1, 1]
    assert twins(q).tolist() == [0, 1]
    both[-1, 1] = both[-1, 0]
    times = np.pad(p.times, ((0, 1), (0, 1)), mode="edge")  # a second home, as far from everything but the last stop
    home, there = int(q.home[0]), len(p.times)
    times[there, :-1], times[:-1, there], times[there, there] = p.times[home], p.times[:, home], 0
    metres = np.pad(p.metres, ((0, 1), (0, 1)), mode="edge")
    metres[there, :-1], metres[:-1, there], metres[there, there] = p.metres[home], p.metres[:, home], 0
    moved = np.array([home, there])
    assert twins(q._replace(times=times, metres=metres, home=moved, begin=moved)).tolist() == [0, 0]
    times[there, int(p.place[-1])] += 60
    assert twins(q._replace(times=times, metres=metres, home=moved, begin=moved)).tolist() == [0, 1]

"""Diving: whole plans out of the master's program, by fixing the run it likes most and pricing the rest again.

In: a `Master` whose program is solved. Out: legal routes by shift. Called by `solve`.

After every run that is fixed, the rest of the legs and shifts is a smaller program, which is priced until hardly anything is left to gain
(Sadykov, Vanderbeck, Pessoa, Tahiri, Uchoa 2019, doi:10.1287/ijoc.2018.0822): so the last runs fit as well as the first.
"""

import time
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from dispatch.planning.choice import Run
from dispatch.planning.master import Master
from dispatch.planning.program import Program

_NEARLY_WHOLE = 0.8  # share of a run at which it is fixed at once
_STEPS = 10  # in which all shifts are fixed, where there are more


def dive(
    master: Master, deadline: float, rng: np.random.Generator | None = None, keep: Mapping[int, list[int]] = MappingProxyType({})
) -> list[list[int]]:
    """One plan, by about the deadline (time.monotonic): each step has its part of the time that is left.

    With a generator the liking is blurred, so that every dive ends elsewhere. `keep`: routes by shift to begin with. Raises nothing; legs
    that fit nowhere stay unserved.
    """
    routes: list[list[int]] = [list(keep.get(shift, ())) for shift in range(len(master.kind))]
    free = {kind: [shift for shift in shifts if shift not in keep] for kind, shifts in master.kinds.items()}
    wanted = np.ones(len(master.p.priority), np.bool_)
    for route in keep.values():
        wanted[[stop // 2 for stop in route]] = False
    at_once = max(1, sum(map(len, free.values())) // _STEPS)
    program = master.program.copy()
    chosen: list[Run] = [] if keep else _likely(program, at_once, rng)
    while chosen or keep:
        for run in chosen:
            routes[free[run.kind].pop(0)] = list(run.route)
            wanted[run.legs()] = False
        shifts = sum(map(len, free.values()))
        left = deadline - time.monotonic()
        if not shifts or left < 0:
            break
        program.fix(wanted, {kind: list(some) for kind, some in free.items() if some})
        if not master.price_out(program, wanted, time.monotonic() + left / -(-shifts // at_once)):
            break
        chosen, keep = _likely(program, at_once, rng), {}
    return routes


def _likely(program: Program, at_once: int, rng: np.random.Generator | None) -> list[Run]:
    """Legal runs to fix next: all that are nearly whole, or the likeliest few."""
    liked = [(float(program.share[k]), int(k)) for k in np.nonzero(program.share > 1e-4)[0]]
    if rng is not None:
        liked = [(value * rng.uniform(0.5, 1.0), k) for value, k in liked]
    chosen: list[Run] = []
    served: set[int] = set()
    used = dict.fromkeys(program.kinds, 0)
    for value, k in sorted(liked, key=lambda one: (-one[0], one[1])):
        run = program.runs[k]
        if value < _NEARLY_WHOLE and len(chosen) >= at_once:
            break
        if run.price is None or served & set(run.legs()) or used[run.kind] >= len(program.kinds[run.kind]):
            continue
        served |= set(run.legs())
        used[run.kind] += 1
        chosen.append(run)
    return chosen

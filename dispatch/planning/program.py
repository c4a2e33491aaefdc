"""The linear program over runs: what each leg is worth while every known run may be driven in parts.

In: runs, as columns. Out: the share of each run, and the prices of legs and of kinds of shifts. Called by `master`.

Rows: each leg once, or unserved at a price (both ways share it where both or none are served); each kind of shift as often as it exists;
how much may be left unserved, when something is known of that; of each triple in `cuts` two or more legs in one run at most.
HiGHS' primal simplex goes on from the last basis; GLOP and MathOpt begin anew with every column, which took 4 to 8 times as long.
A dive works on a `copy`, from which legs and shifts are taken out (`fix`) by bounds, so that the dual simplex goes on from there too.
"""

import copy
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import highspy
import numpy as np
import numpy.typing as npt

from dispatch.planning.choice import Run
from dispatch.planning.cuts import Triple, weights
from dispatch.planning.problem import BoolArray, IntArray

Shares = npt.NDArray[np.float64]
_DUAL_SIMPLEX, _PRIMAL_SIMPLEX = 1, 4
_DEAR = 10  # times the least that may be left unserved
_OPTIONS = (("output_flag", False), ("presolve", "off"), ("threads", 1))


class Prices(NamedTuple):
    """Duals: what serving a leg is worth, one more shift of a kind (0 or less), two legs of a triple in one run (0 or less)."""

    leg: Shares  # [L]
    kind: Shares  # [K] in the order of the program's kinds
    unserved: Shares  # [1] how much cheaper what is left unserved may be, where so much is to be left
    cut: Shares  # [C]

    @classmethod
    def none(cls, legs: int, kinds: int) -> "Prices":
        """Before anything is known."""
        return cls(np.zeros(legs), np.zeros(kinds), np.zeros(1), np.zeros(0))


class Program:
    """Grows by runs and cuts; `value`, `share` and `prices` are those of the last successful `solve`."""

    def __init__(self, wanted: BoolArray, unserved: Sequence[tuple[list[int], int]], kinds: Mapping[int, list[int]], unit: int) -> None:
        """`wanted` by leg. `unserved`: legs that go together, and what leaving them costs. `unit`: of costs, for numbers near one."""
        legs = len(wanted)
        self.unit, self.first, self.groups = unit, len(unserved) + 1, [group for group, _ in unserved]
        self.kinds: Mapping[int, list[int]] = kinds  # with shifts that are not fixed
        self.kind_row = {kind: legs + k for k, kind in enumerate(kinds)}
        self.runs: list[Run] = []
        self.names: set[tuple[int, tuple[int, ...]]] = set()  # of the runs
        self.waiting: list[Run] = []  # not in HiGHS yet
        self.value = -np.inf
        self.share: Shares = np.zeros(0)
        self.unserved, self.limits = 0.0, (-np.inf, np.inf)  # in priorities, their greatest common part being one
        self.prices = Prices.none(legs, len(kinds))
        self.cuts: tuple[Triple, ...] = ()
        self.lp = _new_solver()
        self.row, infinite = legs + len(kinds), highspy.kHighsInf  # of all that is unserved
        least = np.concatenate([wanted.astype(float), np.full(len(kinds) + 1, -infinite)])
        most = np.concatenate([wanted.astype(float), [float(len(shifts)) for shifts in kinds.values()], [infinite]])
        self.lp.addRows(self.row + 1, least, most, 0, np.zeros(self.row + 1, np.int32), np.zeros(0, np.int32), np.zeros(0))
        part = math.gcd(*(cost for _, cost in unserved)) or 1
        self.priorities = np.array([cost // part for _, cost in unserved])
        columns = [(float(cost), {**dict.fromkeys(group, 1), self.row: cost // part}) for group, cost in unserved]
        self._add_columns([*columns, (float(_DEAR * part), {self.row: -1})])  # the last: more unserved than may be

    def copy(self) -> "Program":
        """One that may be changed, at the same basis."""
        self._flush()
        other = copy.copy(self)
        other.runs, other.names, other.waiting = list(self.runs), set(self.names), []
        other.lp = _new_solver()
        other.lp.passModel(self.lp.getLp())
        other.lp.setBasis(self.lp.getBasis())
        return other

    def fix(self, wanted: BoolArray, kinds: Mapping[int, list[int]]) -> None:
        """Only these legs and shifts are left, and of the runs those over them that are legal. Half of what goes together costs as much."""
        self._flush()
        infinite, legs = highspy.kHighsInf, len(wanted)
        most = np.zeros(len(self.kind_row))
        for kind, shifts in kinds.items():
            most[self.kind_row[kind] - legs] = len(shifts)
        rows = np.arange(legs + len(most), dtype=np.int32)
        least = np.concatenate([wanted.astype(float), np.full(len(most), -infinite)])
        self.lp.changeRowsBounds(len(rows), rows, least, np.concatenate([wanted.astype(float), most]))
        for column, group in enumerate(self.groups):
            for leg in group:
                if not wanted[leg]:
                    self.lp.changeCoeff(leg, column, 0.0)
        lost = np.array([run.price is None or run.kind not in kinds or not wanted[run.legs()].all() for run in self.runs], np.bool_)
        basic = np.array([status == highspy.HighsBasisStatus.kBasic for status in self.lp.getBasis().col_status[self.first :]], np.bool_)
        shut = np.nonzero(lost & basic)[0]  # without these the basis would be gone
        self.lp.changeColsBounds(len(shut), (shut + self.first).astype(np.int32), np.zeros(len(shut)), np.zeros(len(shut)))
        self._forget(np.nonzero(lost & ~basic)[0])
        self.kinds = kinds
        self.limit(-np.inf, np.inf)

    def limit(self, least: float, most: float) -> None:
        """How much is unserved, in all plans that are still looked for."""
        self.limits = least, most
        self.lp.changeRowBounds(self.row, least, most)
        self._tighten()

    def cut(self, triples: Sequence[Triple]) -> None:
        """New rows, for all runs."""
        self._flush()
        columns = [weights(triples, run.legs()) for run in self.runs]
        entries = sorted((c, self.first + k, weight) for k, column in enumerate(columns) for c, weight in column.items())
        starts = np.searchsorted([c for c, _, _ in entries], np.arange(len(triples))).astype(np.int32)
        index = np.array([column for _, column, _ in entries], np.int32)
        often = np.array([weight for _, _, weight in entries], np.float64)
        infinite = np.full(len(triples), -highspy.kHighsInf)
        self.lp.addRows(len(triples), infinite, np.ones(len(triples)), len(index), starts, index, often)
        self.cuts += tuple(triples)
        self._tighten()

    def _tighten(self) -> None:
        """For the next time: what is left is too little, its prices are right."""
        self.lp.setOptionValue("simplex_strategy", _DUAL_SIMPLEX)

    def add(self, run: Run) -> bool:
        """A new column; False when it is there."""
        if (run.kind, run.route) in self.names:
            return False
        self.names.add((run.kind, run.route))
        self.runs.append(run)
        self.waiting.append(run)
        return True

    def solve(self, seconds: float) -> bool:
        """Prices and shares for all runs; False, and the last ones stay, when there is no optimum in time."""
        self._flush()
        self.lp.setOptionValue("time_limit", self.lp.getRunTime() + max(0.02, seconds))
        self.lp.run()
        self.lp.setOptionValue("simplex_strategy", _PRIMAL_SIMPLEX)
        if self.lp.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return False
        solution = self.lp.getSolution()
        self.value = self.lp.getObjectiveValue() * self.unit
        prices = np.array(solution.row_dual) * self.unit
        cut = np.minimum(0.0, prices[len(prices) - len(self.cuts) :])
        kind = prices[[self.kind_row[kind] for kind in self.kinds]]
        self.prices = Prices(prices[: len(self.prices.leg)], kind, prices[self.row : self.row + 1], cut)
        values = np.array(solution.col_value)
        self.unserved = float(values[: self.first - 1] @ self.priorities)
        self.share = values[self.first :]
        return True

    def keep_cheapest(self, count: int) -> None:
        """Forget all but the runs of least reduced cost at the last prices."""
        reduced = np.array(self.lp.getSolution().col_dual)[self.first :]
        taken = reduced - (self.share > 0)
        self._forget(np.sort(np.argsort(taken, kind="stable")[count:]))

    def _forget(self, gone: IntArray) -> None:
        self.lp.deleteCols(len(gone), (gone + self.first).astype(np.int32))
        self.share = np.delete(np.append(self.share, np.zeros(len(self.runs) - len(self.share))), gone)  # of runs that came after: none
        out = set(gone.tolist())
        self.runs = [run for k, run in enumerate(self.runs) if k not in out]
        self.names = {(run.kind, run.route) for run in self.runs}

    def _flush(self) -> None:
        columns = []
        for run in self.waiting:
            legs = run.legs()
            often = Counter(legs) if len(set(legs)) < len(legs) else dict.fromkeys(legs, 1)
            cuts = {self.row + 1 + c: count for c, count in weights(self.cuts, legs).items()}
            columns.append((float(run.cost), {**often, self.kind_row[run.kind]: 1, **cuts}))
        self._add_columns(columns)
        self.waiting = []

    def _add_columns(self, columns: Sequence[tuple[float, Mapping[int, int]]]) -> None:
        """(cost, how often by row) each."""
        if not columns:
            return
        n = len(columns)
        sizes = np.array([len(column) for _, column in columns])
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)
        index = np.array([row for _, column in columns for row in column], np.int32)
        often = np.array([count for _, column in columns for count in column.values()], np.float64)
        costs = np.array([cost for cost, _ in columns]) / self.unit
        self.lp.addCols(n, costs, np.zeros(n), np.full(n, highspy.kHighsInf), len(index), starts, index, often)


def _new_solver() -> highspy.Highs:
    lp = highspy.Highs()
    for option, choice in (*_OPTIONS, ("simplex_strategy", _PRIMAL_SIMPLEX)):
        lp.setOptionValue(option, choice)
    return lp

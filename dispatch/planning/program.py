"""The linear program over runs: what each leg is worth while every known run may be driven in parts.

In: runs, as columns. Out: the share of each run, and the prices of legs and of kinds of shifts. Called by `master`.

Rows: each leg once, or unserved at a price (both ways share it where both or none are served); each kind of shift as often as it exists.
HiGHS' primal simplex goes on from the last basis; GLOP and MathOpt begin anew with every column, which took 4 to 8 times as long.
A dive works on a `copy`, from which legs and shifts are taken out (`fix`) by bounds, so that the dual simplex goes on from there too.
"""

import copy
from collections import Counter
from collections.abc import Mapping, Sequence

import highspy
import numpy as np
import numpy.typing as npt

from dispatch.planning.choice import Run
from dispatch.planning.problem import BoolArray, IntArray

Prices = npt.NDArray[np.float64]
_DUAL_SIMPLEX, _PRIMAL_SIMPLEX = 1, 4
_OPTIONS = (("output_flag", False), ("presolve", "off"), ("threads", 1))


class Program:
    """Grows by runs; `value`, `share`, `leg_price` and `kind_price` are those of the last successful `solve`."""

    def __init__(self, wanted: BoolArray, unserved: Sequence[tuple[list[int], int]], kinds: Mapping[int, list[int]], unit: int) -> None:
        """`wanted` by leg. `unserved`: legs that go together, and what leaving them costs. `unit`: of costs, for numbers near one."""
        legs = len(wanted)
        self.unit, self.first, self.groups = unit, len(unserved), [group for group, _ in unserved]
        self.kinds: Mapping[int, list[int]] = kinds  # with shifts that are not fixed
        self.kind_row = {kind: legs + k for k, kind in enumerate(kinds)}
        self.runs: list[Run] = []
        self.names: set[tuple[int, tuple[int, ...]]] = set()  # of the runs
        self.waiting: list[Run] = []  # not in HiGHS yet
        self.value = -np.inf
        self.share: Prices = np.zeros(0)
        self.leg_price: Prices = np.zeros(legs)
        self.kind_price: Prices = np.zeros(len(kinds))
        self.lp = _new_solver()
        rows = legs + len(kinds)
        least = np.concatenate([wanted.astype(float), np.full(len(kinds), -highspy.kHighsInf)])
        most = np.concatenate([wanted.astype(float), [float(len(shifts)) for shifts in kinds.values()]])
        self.lp.addRows(rows, least, most, 0, np.zeros(rows, np.int32), np.zeros(0, np.int32), np.zeros(0))
        self._add_columns([(float(cost), dict.fromkeys(group, 1)) for group, cost in unserved])

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
        self.lp.setOptionValue("simplex_strategy", _DUAL_SIMPLEX)  # for the next time: what is left is too little, its prices are right

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
        self.leg_price, self.kind_price = prices[: len(self.leg_price)], prices[[self.kind_row[kind] for kind in self.kinds]]
        self.share = np.array(solution.col_value)[self.first :]
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
        often = [Counter(legs) if len(set(legs)) < len(legs) else dict.fromkeys(legs, 1) for legs in (run.legs() for run in self.waiting)]
        self._add_columns([(float(run.cost), {**legs, self.kind_row[run.kind]: 1}) for run, legs in zip(self.waiting, often, strict=True)])
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

"""Whether people whom nobody drives would find room in a plan as it stands, if something were a little different.

In: the arrays of a problem and the routes of a plan. Out: yes or no, by exact insertion. Called by `smallest_change`, which changes a few
cells of the arrays for a moment; only the volunteers whom a change concerns are asked again.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from dispatch.planning.insertion import NO_PLACE, OVERRUN, Routes, best_insertion, insert, keep, load_routes, make_routes, refresh, undo
from dispatch.planning.problem import Arrays, BoolArray, IntArray
from dispatch.planning.schedule import kernel

Cell = tuple[Any, Any, int]  # array, index, what one unit of a change adds to it
_CHANGEABLE = ("early", "late", "capacity", "max_metres", "shift_from", "shift_to", "allowed")


class Wish(NamedTuple):
    """Legs to be served together, and by driver index who is asked: those near, and who of them has room for each leg as things are."""

    legs: tuple[int, ...]
    drivers: tuple[int, ...]
    able: tuple[frozenset[int], ...]


class Room:
    """A plan, beside arrays of its own that may be changed."""

    def __init__(self, p: Arrays, routes: Sequence[Sequence[int]]) -> None:
        self.p = p._replace(**{name: getattr(p, name).copy() for name in _CHANGEABLE})
        self.routes = make_routes(p)
        load_routes(p, self.routes, routes)
        self._shifts: dict[int, list[int]] = {}
        for shift, driver in enumerate(p.shift_driver.tolist()):
            self._shifts.setdefault(driver, []).append(shift)

    def shifts_of(self, drivers: Collection[int]) -> IntArray:
        """All shifts of these drivers."""
        return np.array([shift for driver in drivers for shift in self._shifts.get(driver, ())], np.int64)

    def make_wish(self, legs: tuple[int, ...], drivers: tuple[int, ...]) -> Wish:
        """Ask these drivers for these legs, as things are."""
        return Wish(legs, drivers, tuple(self._able(leg, drivers) for leg in legs))

    def holds(self, wish: Wish, anew: Collection[int]) -> bool:
        """Whether all legs find a place; `anew` are the drivers to ask again, nobody else being able to take both."""
        able = [base - set(anew) | self._able(leg, anew) for leg, base in zip(wish.legs, wish.able, strict=True)]
        if len(able) == 1 or not all(able):
            return all(able)
        there, back = wish.legs
        if not self.p.same_driver[there] and len(able[0] | able[1]) > 1:
            return True  # two drivers are not in each other's way
        return any(self._takes_both(there, back, driver) for driver in able[0] & able[1] & set(anew))

    @contextmanager
    def changed(self, cells: Sequence[Cell], amount: int, shift: int | None = None) -> Iterator[bool]:
        """Change the arrays for a moment, and the times of a shift that they concern; False where that makes its route illegal."""
        before = [array[at] for array, at, _ in cells]
        for array, at, unit in cells:
            array[at] += unit * amount
        if shift is not None:
            refresh(self.p, self.routes, shift)
        yield shift is None or bool(self.routes.figures[shift, 3] < OVERRUN)
        for (array, at, _), value in zip(cells, before, strict=True):
            array[at] = value
        if shift is not None:
            refresh(self.p, self.routes, shift)

    def _able(self, leg: int, drivers: Collection[int]) -> frozenset[int]:
        shifts = self.shifts_of(drivers)
        fits = np.zeros(len(shifts), np.bool_)
        fill_fits(self.p, self.routes, leg, shifts, fits)
        return frozenset(self.p.shift_driver[shifts[fits]].tolist())

    def _takes_both(self, there: int, back: int, driver: int) -> bool:
        shifts = self.shifts_of((driver,))
        orders = ((there, back), (back, there))
        return any(fits_both(self.p, self.routes, first, second, shifts) for first, second in orders)


@kernel
def fill_fits(p: Arrays, r: Routes, leg: int, shifts: IntArray, fits: BoolArray) -> None:
    """Fill fits[k] with whether shifts[k] has a place for the leg."""
    for k in range(len(shifts)):
        fits[k] = best_insertion(p, r, leg, shifts[k])[0] < NO_PLACE


@kernel
def fits_both(p: Arrays, r: Routes, first: int, second: int, shifts: IntArray) -> bool:
    """Whether one of these shifts has a place for the first leg, and one of them for the second beside it."""
    for shift in shifts:
        price, i, j = best_insertion(p, r, first, shift)
        if price < NO_PLACE:
            keep(r)
            insert(p, r, first, shift, i, j)
            found = False
            for other in shifts:
                found = found or best_insertion(p, r, second, other)[0] < NO_PLACE
            undo(p, r)
            if found:
                return True
    return False

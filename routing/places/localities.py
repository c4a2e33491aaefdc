"""Which commune a point is in: by the bounds in the data, or else by the settlement whose middle is near.

In: a `Gathered`. Out: a name and a postcode per point. Called by `routing.places.write`.
"""

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import cKDTree

from routing.places.gather import Gathered

#: A commune is level 8 in France, Germany and Spain, 7 in Andorra and Portugal; a district of a town (9, 10) is not what people say.
_LEVELS = (8, 7, 6)
#: How far a settlement reaches, compared with a village; and a village, in degrees (5 km): farther, nothing is said.
_REACH = {"city": 4.0, "town": 2.0, "village": 1.0}
_VILLAGE_DEGREES = 0.05
_NOWHERE = -1


class Localities:
    """Of one extract: `names[k]` and `postcodes[k]` of the k-th."""

    def __init__(self, gathered: Gathered) -> None:
        self.names: list[str] = []
        self.postcodes: list[str] = []
        known: dict[str, int] = {}

        def number(name: str, postcode: str) -> int:
            if name not in known:
                known[name] = len(self.names)
                self.names.append(name)
                self.postcodes.append("")
            self.postcodes[known[name]] = self.postcodes[known[name]] or postcode
            return known[name]

        self._areas = []
        for level in _LEVELS:
            here = [bounds for bounds in gathered.bounds if bounds.level == level]
            tree = shapely.STRtree([bounds.area for bounds in here])
            self._areas.append((tree, np.array([number(bounds.name, bounds.postcode) for bounds in here], np.int64)))
        middles = [thing for thing in gathered.things if thing.kind in _REACH]
        self._middles = [(number(thing.name, thing.postcode), _REACH[thing.kind], thing.lon, thing.lat) for thing in middles]

    def of(self, lonlat: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """The locality of each point [n, 2], or -1. O(n log k)."""
        found = np.full(len(lonlat), _NOWHERE, np.int64)
        points = shapely.points(lonlat)
        for tree, numbers in self._areas:
            if len(numbers):
                which, area = tree.query(points, predicate="intersects")
                missing = found[which] == _NOWHERE
                found[which[missing]] = numbers[area[missing]]
        if self._middles and (found == _NOWHERE).any():
            self._fill_from_middles(lonlat, found)
        return found

    def _fill_from_middles(self, lonlat: npt.NDArray[np.float64], found: npt.NDArray[np.int64]) -> None:
        """The settlement that is nearest, a town counted nearer than a village."""
        lost = np.flatnonzero(found == _NOWHERE)
        squeeze = np.array([np.cos(np.radians(lonlat[:, 1].mean())), 1.0])
        best = np.full(len(lost), np.inf)
        for reach in sorted(set(_REACH.values())):
            here = [(number, lon, lat) for number, r, lon, lat in self._middles if r == reach]
            if not here:
                continue
            tree = cKDTree(np.array([row[1:] for row in here]) * squeeze)
            answer = tree.query(lonlat[lost] * squeeze, distance_upper_bound=reach * _VILLAGE_DEGREES)
            away, which = np.asarray(answer[0]), np.asarray(answer[1])
            nearer = away / reach < best
            best[nearer] = away[nearer] / reach
            numbers = np.array([row[0] for row in here], np.int64)
            found[lost[nearer]] = numbers[which[nearer]]

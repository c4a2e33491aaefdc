"""Points that people give us must be near a road: a wrong point is told at once, not found out by a volunteer.

In: named points and the network. Out: nothing, or BadInput with one fault per far point. Called by the other services.
"""

from collections.abc import Mapping

import numpy as np

from dispatch.errors import BadInput, Fault
from dispatch.model.day import Point
from routing.network import RoadNetwork
from routing.snap import snap


def check_on_roads(network: RoadNetwork, limit_m: int, points: Mapping[str, Point]) -> None:
    """Refuse points farther than the limit from every road of the network."""
    snapped = snap(network, np.array(list(points.values()), np.float64).reshape(-1, 2), limit_m=float(limit_m))
    faults = [
        Fault(name, "far_from_roads", f"is {metres / 1000:.1f} km from the nearest road: check the point (longitude comes first)")
        for name, edge, metres in zip(points, snapped.edge, snapped.distance_m, strict=True)
        if edge < 0
    ]
    if faults:
        raise BadInput(faults)

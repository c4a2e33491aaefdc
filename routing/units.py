"""Units of the road room: the one place where they are defined.

Coordinates are WGS 84 and always lon, lat. Road times are int32 milliseconds, road lengths int32 metres.
A pair of points without a road between them holds UNREACHABLE, never a made-up time.
"""

from typing import NewType

Millis = NewType("Millis", int)
Metres = NewType("Metres", int)
LonLat = tuple[float, float]

#: Larger than any real time or length (12.4 days in ms), and twice it still fits an int32.
UNREACHABLE = 2**30 - 1

EARTH_RADIUS_M = 6_371_008.8  # mean radius R1 of the GRS 80 ellipsoid (Moritz 1980)

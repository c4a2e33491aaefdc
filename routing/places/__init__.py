"""Finding places: words to points and points to words. What the rest of the program uses of this folder.

In: what somebody typed, or a point. Out: `Found`s with label, point, score and source. The port is `Geocoder`; it has three
implementations, the local index of an extract, BAN and Nominatim; `PlaceSearch` asks them in turn. Called by the command line and the API.
"""

from routing.places.ban import Ban
from routing.places.index import LocalIndex
from routing.places.nominatim import Nominatim
from routing.places.port import Asked, Box, Found, Geocoder, pinned
from routing.places.search import Answer, PlaceSearch
from routing.places.write import SUFFIX, beside

__all__ = [
    "SUFFIX", "Answer", "Asked", "Ban", "Box", "Found", "Geocoder", "LocalIndex", "Nominatim", "PlaceSearch", "beside", "pinned",
]  # fmt: skip

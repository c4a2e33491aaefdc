"""What can go wrong with roads, as one tree. Nothing here names a private value.

    RoutingError
    +-- BadExtract          the file cannot be read as OpenStreetMap data
    +-- NoRoads             the data holds no road a car may use
    +-- BadNetwork          a saved network cannot be opened
    +-- PlaceNotFound       a place name could not be fetched
    +-- BadTrips            observed trips cannot be read, or are too few
    +-- BadPlaces           an index of places cannot be made or opened
    +-- BadMap              a base map cannot be made or opened
    +-- PlacesAway          a service that finds places does not answer

Each class has a stable `code`, its docstring is the default sentence, `action` says what to do next.
"""

from inspect import cleandoc
from typing import ClassVar


class RoutingError(Exception):
    """Something went wrong with the road network."""

    code: ClassVar[str] = "routing"
    action: ClassVar[str] = "Look at the sentence above, mend the input and try again."

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or cleandoc(self.__doc__ or ""))


class BadExtract(RoutingError):
    """The road file cannot be read as OpenStreetMap data."""

    code = "bad_extract"
    action = "Download the extract again (.osm.pbf, .osm, .osm.gz or .osm.bz2) and rebuild."


class NoRoads(RoutingError):
    """The extract holds no road that a car may use."""

    code = "no_roads"
    action = "Choose an extract that covers the territory and was not filtered to other objects."


class BadNetwork(RoutingError):
    """The saved road network cannot be opened."""

    code = "bad_network"
    action = "Build it again with `allons roads build FILE.osm.pbf`."


class PlaceNotFound(RoutingError):
    """The place could not be fetched."""

    code = "place_not_found"
    action = "Check the spelling and the internet connection, or load an extract file instead."


class BadTrips(RoutingError):
    """The observed trips cannot be used to calibrate the roads."""

    code = "bad_trips"
    action = "Give a CSV file with the columns from_lon, from_lat, to_lon, to_lat and seconds, one line per trip."


class BadPlaces(RoutingError):
    """The index of places cannot be made or opened."""

    code = "bad_places"
    action = "Build it again with `allons roads build FILE.osm.pbf`, with a Python whose SQLite has FTS5."


class BadMap(RoutingError):
    """The base map cannot be made or opened."""

    code = "bad_map"
    action = "Build it again with `allons roads build`, from the extract."


class PlacesAway(RoutingError):
    """The service that finds places does not answer."""

    code = "places_away"
    busy: bool = False  # it is there, and may be asked again at once
    action = "Give the point on the map, or try again in a minute."

"""BAN, the French addresses: the geocoding service of the Géoplateforme (https://data.geopf.fr/geocodage), or one of the same form.

In: an address of the service. Out: a `Geocoder`. Its answers are GeoJSON features whose properties have label, score, type, city, postcode.
"""

from typing import Any

from routing.places.asking import ask, degrees_of, text_of
from routing.places.port import Asked, Found, Source, inside

_KINDS = {"housenumber": "house", "street": "street", "locality": "locality", "municipality": "village"}
_MOST = 20
NEAR_DIGITS = 2  # of the point that says which of two is nearer: a kilometre tells the service enough


class Ban:
    """A `Geocoder` over HTTP."""

    source: Source = "ban"

    def __init__(self, url: str) -> None:
        self._url = url

    def search(self, asked: Asked) -> list[Found]:
        """`/search`; the service's own scores."""
        text = asked.text.strip()
        if len(text) < 3:  # the service wants three characters
            return []
        parameters = {"q": text, "limit": str(min(_MOST, asked.limit)), "autocomplete": str(int(asked.typing))}
        if asked.near is not None:
            parameters |= {"lon": str(round(asked.near[0], NEAR_DIGITS)), "lat": str(round(asked.near[1], NEAR_DIGITS))}
        found = self._read(ask(self._url, "search", parameters))
        return [place for place in found if inside(asked.within, place.lon, place.lat)][: asked.limit]

    def reverse(self, lon: float, lat: float) -> Found | None:
        """`/reverse`; the first."""
        found = self._read(ask(self._url, "reverse", {"lon": str(lon), "lat": str(lat), "limit": "1"}))
        return found[0] if found else None

    def close(self) -> None:
        """Nothing is kept open."""

    def _read(self, answer: Any) -> list[Found]:
        features = answer.get("features") if isinstance(answer, dict) else None
        read = [self._feature(feature) for feature in features[:_MOST]] if isinstance(features, list) else []
        return [place for place in read if place is not None]

    def _feature(self, feature: Any) -> Found | None:
        """One of the answer; None when it is not in the form that is documented."""
        try:
            properties, (lon, lat) = feature["properties"], feature["geometry"]["coordinates"][:2]
            score = float(properties.get("score", 0.0))
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
            return None
        point, label = degrees_of(lon, lat), text_of(properties.get("label"))
        if point is None or not label or not score >= 0:
            return None
        locality, postcode = (text_of(properties.get(name)) for name in ("city", "postcode"))
        kind = _KINDS.get(text_of(properties.get("type")), "place")
        return Found(
            label=label, kind=kind, lon=point[0], lat=point[1], score=round(min(1.0, score), 3), source=self.source,
            locality=locality, postcode=postcode,
        )  # fmt: skip

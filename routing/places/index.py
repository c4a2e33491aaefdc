"""The local index: places of the extract itself, found without any network.

In: a file made by `routing.places.write`. Out: a `Geocoder`. Opened by whoever starts the service; called by `routing.places.search`.

How: each typed word becomes the index words it may mean; full-text search finds the entries that have one of each; those are scored one by
one. Strict first; with errors allowed when that finds nothing good; then with a word left out.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from queue import Empty, SimpleQueue

import numpy as np

from routing.errors import BadPlaces
from routing.places.port import LONGEST_TEXT, Asked, Found, Source, metres_between
from routing.places.score import Candidate, Scored, order_of, score
from routing.places.vocabulary import Meanings, Vocabulary
from routing.places.words import House, Reading, readings
from routing.places.write import APPLICATION, FORMAT

GOOD = 0.8  # a score from which nothing else is tried
_MOST = 200  # entries that are scored per attempt
_LONGEST_S = 0.5  # for one question; what was found until then is the answer
_HOUSE_M, _STREET_M, _PLACE_M = 60.0, 250.0, 20_000.0  # how far the nearest of each kind may be
_NEAREST_HOUSE, _NO_HOUSE = 0.9, 0.85  # what a score is times, when the number itself is not there
_DOOR_M = 25.0  # a house so near is meant; one farther only when its street is not much nearer
_DEGREE_M = 111_195.0
_COLUMNS = "entry.id, kind, name, locality, postcode, lon, lat, weight, entry.words, entry.called, entry.around"


class LocalIndex:
    """A `Geocoder` over one file. Read only; a connection per thread at work."""

    source: Source = "local"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        self._closed = threading.Event()
        try:
            with self._connection() as db:
                if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
                    raise BadPlaces(f"{path.name}: this is not an index of places made by Allons.")
                if db.execute("PRAGMA user_version").fetchone()[0] != FORMAT:
                    raise BadPlaces(f"{path.name}: it was made by another version of Allons.")
                self.about = dict(db.execute("SELECT name, value FROM about"))
                self.entries, self.streets, self.houses = (
                    db.execute(question).fetchone()[0]
                    for question in (
                        "SELECT count(*) FROM entry",
                        "SELECT count(*) FROM entry WHERE kind = 'street'",
                        "SELECT count(*) FROM house",
                    )
                )
                self._vocabulary = Vocabulary(dict(db.execute("SELECT word, entries FROM word")), self.entries)
                db.execute("SELECT rowid FROM search WHERE search MATCH 'x' LIMIT 1").fetchall()
        except sqlite3.Error:
            raise BadPlaces(f"{path.name}: cannot be opened as an index of places.") from None

    def search(self, asked: Asked) -> list[Found]:
        """The best entries. Never raises for any text; half a second at most."""
        best: dict[int, tuple[float, Found]] = {}
        until = time.monotonic() + _LONGEST_S
        with self._connection() as db:
            db.set_progress_handler(lambda: int(time.monotonic() > until), 2000)
            for reading in readings(asked.text[:LONGEST_TEXT]):
                try:
                    found = self._read(db, reading, asked)
                except sqlite3.OperationalError:  # took too long
                    break
                for entry, order, place in found:
                    if entry not in best or best[entry][0] < order:
                        best[entry] = order, place
        ranked = sorted(best.values(), key=lambda row: (-row[0], row[1].label, row[1].lon))
        return [place for _, place in ranked[: asked.limit]]

    def reverse(self, lon: float, lat: float) -> Found | None:
        """The nearest house number, else street, else settlement. O(log n) in the file."""
        house = "SELECT {} FROM house JOIN entry ON entry.id = house.entry WHERE house.lat BETWEEN ? AND ? AND house.lon BETWEEN ? AND ?"
        street = "SELECT {} FROM spot JOIN entry ON entry.id = spot.entry WHERE spot.lat BETWEEN ? AND ? AND spot.lon BETWEEN ? AND ?"
        place = "SELECT {} FROM entry WHERE lat BETWEEN ? AND ? AND lon BETWEEN ? AND ?"
        settled = f"{place} AND kind IN ('city', 'town', 'village', 'suburb', 'hamlet', 'isolated_dwelling', 'locality')"
        tries = (
            (house, "house.lon, house.lat, kind, name, locality, postcode, number, suffix", _HOUSE_M),
            (street, "spot.lon, spot.lat, kind, name, locality, postcode, 0, ''", _STREET_M),
            (settled, "lon, lat, kind, name, locality, postcode, 0, ''", _PLACE_M / 10),
            (settled, "lon, lat, kind, name, locality, postcode, 0, ''", _PLACE_M),
        )
        found, house_m = None, 0.0
        with self._connection() as db:
            for question, columns, far in tries:
                rows = db.execute(question.format(columns), _around(lon, lat, far)).fetchall()
                away, row = min(((metres_between((lon, lat), row[:2]), row) for row in rows), default=(far, None))
                if found is not None:  # a house: of this street, or of one around the corner?
                    return found if row is None or house_m <= _DOOR_M + away else self._nearest(row, away / far)
                if row is not None and away < far:
                    found, house_m = self._nearest(row, away / far), away
                    if not row[6] or away <= _DOOR_M:
                        return found
        return found

    def _nearest(self, row: tuple[float, float, str, str, str, str, int, str], share: float) -> Found:
        lon, lat, kind, name, locality, postcode, number, suffix = row
        house = House(number, suffix) if number else None
        return Found(
            label=label_of(name, locality, postcode, house), kind="house" if house else kind, lon=lon, lat=lat, locality=locality,
            postcode=postcode, score=round(1.0 - 0.5 * share, 3), source=self.source,
        )  # fmt: skip

    def close(self) -> None:
        """Close what is idle; what is at work closes when it is done."""
        self._closed.set()
        with suppress(Empty):
            while True:
                self._idle.get_nowait().close()

    def _read(self, db: sqlite3.Connection, reading: Reading, asked: Asked) -> list[tuple[int, float, Found]]:
        """Entries, with what orders them, for one reading, from strict to lenient, until something is good."""
        found: dict[int, tuple[float, Scored]] = {}
        for meanings in self._attempts(reading.words):
            for candidate in self._candidates(db, meanings, asked):
                scored = score(candidate, meanings, self._vocabulary)
                order = order_of(scored, asked.near)
                if candidate.id not in found or found[candidate.id][0] < order:
                    found[candidate.id] = order, scored
            if any(scored.score >= GOOD for _, scored in found.values()):
                break
        ranked = sorted(found.values(), key=lambda row: -row[0])[: 3 * asked.limit]
        places = [self._place(db, scored, reading.house) for _, scored in ranked]
        return [
            (scored.candidate.id, order + place.score - scored.score, place) for (order, scored), place in zip(ranked, places, strict=True)
        ]

    def _attempts(self, words: tuple[str, ...]) -> Iterator[list[Meanings]]:
        """What each word may mean: as typed, with errors, with one word left out, with any."""
        joined = self._joined(words)
        strict = [
            self._vocabulary.meanings(word, beginning=k == len(joined) - 1, errors=word not in self._vocabulary)
            for k, word in enumerate(joined)
        ]
        if all(strict):
            yield strict
        lenient = [self._vocabulary.meanings(word, beginning=len(word) > 2, errors=True) for word in joined]
        known = [meanings for meanings in lenient if meanings]
        if all(lenient):
            yield lenient
        if len(joined) > 1 and known:
            for k in range(len(joined)):
                yield [meanings if j != k else {} for j, meanings in enumerate(lenient)]

    def _joined(self, words: tuple[str, ...]) -> list[str]:
        """Words with a blank too many put together: « fon taine »."""
        joined: list[str] = []
        rest = iter(range(len(words)))
        for k in rest:
            both = "".join(words[k : k + 2])
            if k + 1 < len(words) and not (words[k] in self._vocabulary and words[k + 1] in self._vocabulary) and both in self._vocabulary:
                joined.append(both)
                next(islice(rest, 1), None)
            else:
                joined.append(words[k])
        return joined

    def _candidates(self, db: sqlite3.Connection, meanings: list[Meanings], asked: Asked) -> list[Candidate]:
        """Entries that have one meaning of every word, one of them in the name: the likeliest, and when there are many, the nearest too."""
        known = [" OR ".join(f'"{word}"' for word in words) for words in meanings if words]
        if not known:
            return []
        match = f"{{words called}} : ({' OR '.join(known)}) AND " + " AND ".join(f"({words})" for words in known)
        where, values = "", []
        if asked.within is not None:
            west, south, east, north = asked.within
            where, values = "AND lon BETWEEN ? AND ? AND lat BETWEEN ? AND ?", [west, east, south, north]
        ask = (
            f"SELECT {_COLUMNS} FROM search JOIN entry ON entry.id = search.rowid WHERE search MATCH ? {where} ORDER BY {{}} LIMIT {_MOST}"  # noqa: S608
        )
        rows = db.execute(ask.format("bm25(search, 8.0, 2.0, 1.0)"), [match, *values]).fetchall()
        if len(rows) == _MOST and asked.near is not None:
            squeeze = float(np.cos(np.radians(asked.near[1]))) ** 2
            away = "(lon - ?) * (lon - ?) * ? + (lat - ?) * (lat - ?)"
            lon, lat = asked.near
            rows += db.execute(ask.format(away), [match, *values, lon, lon, squeeze, lat, lat]).fetchall()
        return [Candidate(*row) for row in rows]

    def _place(self, db: sqlite3.Connection, scored: Scored, house: House | None) -> Found:
        """An entry as an answer: the house of the number that was asked for, or else the nearest number of the street."""
        entry = scored.candidate
        found = Found(
            label=label_of(entry.name, entry.locality, entry.postcode), kind=entry.kind, lon=entry.lon, lat=entry.lat,
            score=round(min(1.0, scored.score), 3), source=self.source, locality=entry.locality, postcode=entry.postcode,
        )  # fmt: skip
        if house is None:
            return found
        rows = db.execute("SELECT number, suffix, lon, lat FROM house WHERE entry = ?", [entry.id]).fetchall()
        if not rows:
            return replace(found, score=round(found.score * _NO_HOUSE, 3))
        # the number itself; then its own side of the street; then a lower number
        number, suffix, lon, lat = min(rows, key=lambda r: (_gap(r, house), r[0], r[1]))
        there = House(number, suffix)
        share = 1.0 if there == house else 0.97 if number == house.number else _NEAREST_HOUSE - min(0.05, abs(number - house.number) / 1000)
        label = label_of(entry.name, entry.locality, entry.postcode, there)
        return replace(found, label=label, kind="house", lon=lon, lat=lat, score=round(found.score * share, 3))

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """An idle connection or a new one."""
        try:
            db = self._idle.get_nowait()
        except Empty:
            uri = f"{self._path.absolute().as_uri()}?mode=ro&immutable=1"  # replaced by renaming, never changed
            db = sqlite3.connect(uri, uri=True, check_same_thread=False)
        try:
            yield db
        except BaseException:
            db.close()
            raise
        db.set_progress_handler(None, 0)
        if self._closed.is_set():
            db.close()
        else:
            self._idle.put(db)


def _gap(row: tuple[int, str, float, float], house: House) -> tuple[int, bool]:
    """How far a number is: those of the other side count three farther."""
    number, suffix = row[:2]
    return abs(number - house.number) + 3 * ((number - house.number) % 2), suffix != house.suffix


def _around(lon: float, lat: float, far_m: float) -> tuple[float, float, float, float]:
    """South, north, west, east."""
    high = far_m / _DEGREE_M
    wide = high / max(0.01, float(np.cos(np.radians(lat))))
    return lat - high, lat + high, lon - wide, lon + wide


def label_of(name: str, locality: str, postcode: str, house: House | None = None) -> str:
    """As it is written on an envelope, on one line: « 12 bis Rue de l'Église, 63000 Orvelac »."""
    street = f"{house} {name}" if house else name
    town = f"{postcode} {locality}".strip() if locality != name else postcode
    return f"{street}, {town}" if town else street

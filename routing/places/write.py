"""The index of an extract's places: one SQLite file with full-text search, written whole or not at all.

In: an extract, or a `Gathered`. Out: a file NAME.places beside NAME.roads, opened by `routing.places.index`.
Called by `allons roads build` and `allons demo`, through `routing.confined`.

Tables: `entry` (settlements, destinations, streets; one per street and commune), `house` (numbers of streets), `spot` (points along
streets, for « which street is this? »), `search` (the words of entries, FTS5, contentless), `word` (how many entries have a word).
"""

import os
import sqlite3
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import numpy.typing as npt

from routing.errors import BadPlaces
from routing.places.gather import Gathered, Thing
from routing.places.kinds import OTHER_WEIGHT, SETTLED, STREET, STREET_WEIGHT
from routing.places.localities import Localities
from routing.places.port import metres_between
from routing.places.words import plain, read_house, spelled_out, telling

FORMAT = 1
APPLICATION = 0x416C6C6F  # « Allo »: whose file this is
SUFFIX = ".places"
_TABLES = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entry (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, locality TEXT NOT NULL, postcode TEXT NOT NULL,
    lon REAL NOT NULL, lat REAL NOT NULL, weight REAL NOT NULL, words TEXT NOT NULL, called TEXT NOT NULL, around TEXT NOT NULL);
CREATE TABLE house (entry INTEGER NOT NULL, number INTEGER NOT NULL, suffix TEXT NOT NULL, lon REAL NOT NULL, lat REAL NOT NULL,
    PRIMARY KEY (entry, number, suffix)) WITHOUT ROWID;
CREATE TABLE spot (lat REAL NOT NULL, lon REAL NOT NULL, entry INTEGER NOT NULL);
CREATE TABLE word (word TEXT PRIMARY KEY, entries INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE search USING fts5 (words, called, around, content='', detail=column, tokenize="unicode61 remove_diacritics 0");
"""
_INDEXES = """
CREATE INDEX house_at ON house (lat, lon);
CREATE INDEX entry_at ON entry (lat, lon);
CREATE INDEX spot_at ON spot (lat, lon);
INSERT INTO search (search) VALUES ('optimize');
ANALYZE;
"""
_FAR_M = 3000.0  # a house is put to a street of its name that is so far, if there is none in its own commune
_SAME_DEGREES = 0.003  # two objects of one kind and name so near are one: a building and its entrance

Key = tuple[str, int]  # a street's words, its locality
Lonlat = npt.NDArray[np.float64]


def beside(roads: Path) -> Path:
    """Where the index of a network is: NAME.places beside NAME.roads."""
    return roads.with_name(roads.name.removesuffix(".roads").partition(".osm")[0] + SUFFIX)


def keep_whole(target: Path, temporary: Path) -> None:
    """Give a finished file its name: readers see the old one or the new one."""
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.chmod(0o644)
    temporary.replace(target)


def new_file(target: Path) -> Path:
    """An empty file beside its place. BadPlaces where none can be made."""
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise BadPlaces(f"{target.name}: cannot be written here; does the folder exist, and is there room?") from error
    os.close(handle)
    return Path(name)


def save_places(gathered: Gathered, target: Path) -> None:
    """Write the index. BadPlaces when SQLite has no full-text search here, or the file cannot be written."""
    temporary = new_file(target)
    try:
        write_index(gathered, temporary)
        keep_whole(target, temporary)
    except OSError as error:
        raise BadPlaces(f"{target.name}: cannot be written here; is there room?") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_index(gathered: Gathered, path: Path) -> None:
    """Fill an empty file. O(entries + houses), twice their memory. BadPlaces as `save_places`."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA application_id={APPLICATION};")
            db.executescript(f"PRAGMA user_version={FORMAT}; {_TABLES}")
            db.execute("BEGIN")
            _Writer(db, gathered).write()
            db.execute("COMMIT")
            db.executescript(_INDEXES)
    except sqlite3.OperationalError as error:
        if "fts5" in str(error):
            raise BadPlaces("The index of places needs an SQLite with full-text search (FTS5), which this Python has not.") from error
        raise BadPlaces("The index of places cannot be written; is there room?") from error


class _Writer:
    def __init__(self, db: sqlite3.Connection, gathered: Gathered) -> None:
        self._db, self._gathered = db, gathered
        self._texts = list(gathered.texts)
        self._localities = Localities(gathered)
        self._entries = 0
        self._counts: Counter[str] = Counter()
        self._words: dict[int, str] = {}  # of a street's name by the number of its text

    def write(self) -> None:
        about = {"source": self._gathered.source, "data_date": self._gathered.data_date}
        self._db.executemany("INSERT INTO about VALUES (?, ?)", about.items())
        self._write_things()
        self._write_streets()
        self._db.executemany("INSERT INTO word VALUES (?, ?)", sorted(self._counts.items()))

    def _write_things(self) -> None:
        things = [*self._gathered.things, *self._missing_communes()]
        at = np.array([(thing.lon, thing.lat) for thing in things], np.float64).reshape(-1, 2)
        seen = set()
        for thing, here in zip(things, self._localities.of(at).tolist(), strict=True):
            mark = (thing.kind, *plain(thing.name), round(thing.lon / _SAME_DEGREES), round(thing.lat / _SAME_DEGREES))
            if mark in seen:
                continue
            seen.add(mark)
            locality = thing.locality or (self._localities.names[here] if here >= 0 else "")
            postcode = thing.postcode or (self._localities.postcodes[here] if here >= 0 else "")
            weight = SETTLED.get(thing.kind, OTHER_WEIGHT)
            self._add(thing.kind, thing.name, locality, postcode, (thing.lon, thing.lat), weight, thing.called)

    def _missing_communes(self) -> Iterator[Thing]:
        """Communes that the data has only as an area."""
        known = {tuple(plain(thing.name)) for thing in self._gathered.things if thing.kind in SETTLED}
        for bounds in self._gathered.bounds:
            if bounds.level in (7, 8) and tuple(plain(bounds.name)) not in known:
                middle = bounds.area.representative_point()
                yield Thing("village", bounds.name, "", middle.x, middle.y, "", bounds.postcode)

    def _add(
        self, kind: str, name: str, locality: str, postcode: str, at: tuple[float, float], weight: float, called: str = "", inside: str = ""
    ) -> int:
        """One entry and its words; its number."""
        self._entries += 1
        words = spelled_out(name)
        also = telling(plain(called)) if called else []
        around = list(dict.fromkeys([*plain(locality), *plain(inside), *plain(postcode)]))
        texts = " ".join(words), " ".join(also), " ".join(around)
        lon, lat = round(at[0], 7), round(at[1], 7)
        row = (self._entries, kind, name, locality, postcode, lon, lat, weight, *texts)
        self._db.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        split = " ".join(words).replace("/", " ")
        self._db.execute("INSERT INTO search (rowid, words, called, around) VALUES (?, ?, ?, ?)", (self._entries, split, *texts[1:]))
        self._counts.update({*split.split(), *also, *around})
        return self._entries

    def _write_streets(self) -> None:
        """Ways of one name in one commune are one street; houses go to the street of their name that is nearest."""
        gathered = self._gathered
        ways = np.array(gathered.way, np.int64).reshape(-1, 2)
        spots = np.array(gathered.spot_at, np.float64).reshape(-1, 2)
        houses = np.array(gathered.house, np.int64).reshape(-1, 4)
        house_at = np.array(gathered.house_at, np.float64).reshape(-1, 2)
        ends = np.append(ways[1:, 1], len(spots)) if len(ways) else ways[:, 1]
        streets: dict[Key, list[int]] = defaultdict(list)  # ways
        named: dict[str, list[Key]] = defaultdict(list)
        for k, here in enumerate(self._localities.of(spots[ways[:, 1]]).tolist()):
            key = self._text_words(int(ways[k, 0])), here
            streets[key].append(k)
            if len(streets[key]) == 1:
                named[key[0]].append(key)
        lived: dict[Key, list[int]] = defaultdict(list)  # houses
        for k, here in enumerate(self._localities.of(house_at).tolist()):
            key = self._text_words(int(houses[k, 1])), here
            if key[0]:
                near = key if key in streets else _nearest(house_at[k], named[key[0]], streets, spots, ways)
                lived[near or key].append(k)
        for key in {**streets, **lived}:
            here = streets.get(key, [])
            middle = _middle(here, ways, spots, house_at[lived.get(key, [])])
            name = self._texts[int(ways[here[0], 0] if here else houses[lived[key][0], 1])]
            self._write_street(key, name, middle, houses[lived.get(key, [])], house_at[lived.get(key, [])])
            along = np.concatenate([spots[ways[k, 1] : ends[k]] for k in here]) if here else np.empty((0, 2))
            self._db.executemany("INSERT INTO spot VALUES (?, ?, ?)", ((lat, lon, self._entries) for lon, lat in along.round(7).tolist()))

    def _write_street(self, key: Key, name: str, middle: tuple[float, float], houses: npt.NDArray[np.int64], at: Lonlat) -> None:
        found, here = self._localities, key[1]
        inside = found.names[here] if here >= 0 else ""
        city, postcode = (self._most_said(houses[:, column]) for column in (2, 3))
        postcode = postcode or (found.postcodes[here] if here >= 0 else "")
        entry = self._add(STREET, name, city or inside, postcode, middle, STREET_WEIGHT, inside=inside)
        numbers = (read_house(self._texts[number]) for number in houses[:, 0].tolist())
        rows = (
            (entry, house.number, house.suffix, lon, lat)
            for house, (lon, lat) in zip(numbers, at.round(7).tolist(), strict=True)
            if house is not None
        )
        self._db.executemany("INSERT OR IGNORE INTO house VALUES (?, ?, ?, ?, ?)", rows)

    def _most_said(self, numbers: npt.NDArray[np.int64]) -> str:
        """What most houses of a street say, if any says something."""
        said = Counter(number for number in numbers.tolist() if number)
        return self._texts[said.most_common(1)[0][0]] if said else ""

    def _text_words(self, number: int) -> str:
        if number not in self._words:
            self._words[number] = " ".join(spelled_out(self._texts[number]))
        return self._words[number]


def _middle(ways: list[int], table: npt.NDArray[np.int64], spots: Lonlat, houses: Lonlat) -> tuple[float, float]:
    """A point on the street: the middle of its middlemost way; of houses without a street, the middlemost house."""
    points = spots[table[ways, 1]] if ways else houses
    centre = points.mean(axis=0)
    lon, lat = points[int(np.abs(points - centre).sum(axis=1).argmin())].tolist()
    return lon, lat


def _nearest(house: Lonlat, keys: list[Key], streets: dict[Key, list[int]], spots: Lonlat, ways: npt.NDArray[np.int64]) -> Key | None:
    """The street of this name whose middle is nearest, unless all are far."""
    here = (float(house[0]), float(house[1]))
    middles = [
        (metres_between(here, (float(spots[ways[k, 1], 0]), float(spots[ways[k, 1], 1]))), key) for key in keys for k in streets[key]
    ]
    away, key = min(middles, default=(np.inf, None))
    return key if away <= _FAR_M else None

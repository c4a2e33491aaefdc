"""The index of places: what it costs to build, to search, and how often a mistyped street is found.

Question: how long does an extract's index take and how large is it; what does one search cost; is a real street found first when one letter
of its name is wrong? Cost model: building reads the extract twice and writes once, O(objects); a search is O(index words x letters) for
each misspelled word, and O(entries that have all its words) besides. Curve expected: a search grows slowly with the extract. Control: the
same streets without an error. Streets are sampled evenly (seed 1) from names of six letters or more; the error is a letter left out,
doubled, changed, or swapped with the next, anywhere in the name; asked as « name, commune ». Found: the first answer has that very name and
commune. As typed: the same texts, letter by letter, as a page asks while somebody types.

    python -m benchmarks.places --roads andorra-2025.osm.pbf --roads porto-2015.osm.pbf [--streets 1000] [--json OUT]
"""

import argparse
import json
import os
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from routing.confined import write_places_confined
from routing.places import Asked, LocalIndex

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def mistyped(name: str, rng: random.Random) -> str:
    """One letter wrong."""
    k = rng.choice([k for k, c in enumerate(name) if c.isalpha()])
    kind = rng.randrange(4)
    if kind == 0:
        return name[:k] + name[k + 1 :]
    if kind == 1:
        return name[: k + 1] + name[k:]
    if kind == 2 or k + 1 == len(name) or name[k + 1] == name[k]:
        return name[:k] + rng.choice([c for c in LETTERS if c != name[k].lower()]) + name[k + 1 :]
    return name[:k] + name[k + 1] + name[k] + name[k + 2 :]


def streets_of(path: Path, count: int, rng: random.Random) -> list[tuple[str, str]]:
    """Names and localities."""
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT name, locality FROM entry WHERE kind = 'street' ORDER BY id").fetchall()
    rows = sorted({row for row in rows if sum(c.isalpha() for c in row[0]) >= 6})
    return rng.sample(rows, min(count, len(rows)))


def measure(extract: Path, count: int) -> dict[str, Any]:
    """Of one extract."""
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "x.places"
        begun = time.perf_counter()
        write_places_confined(extract, target)
        build_s = time.perf_counter() - begun
        index = LocalIndex(target)
        asked = streets_of(target, count, rng)
        found: dict[str, Any] = {
            "extract": extract.name, "build_s": round(build_s, 2), "mb": round(target.stat().st_size / 1e6, 2), "entries": index.entries,
            "streets": index.streets, "houses": index.houses, "asked": len(asked),
            "peak_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
        }  # fmt: skip
        for title, change in (("exact", lambda name, _: name), ("one_error", mistyped)):
            times, first, missed = [], 0, []
            for name, locality in asked:
                text = f"{change(name, rng)}, {locality}"
                begun = time.perf_counter()
                answers = index.search(Asked(text=text))
                times.append(time.perf_counter() - begun)
                right = bool(answers) and answers[0].label.startswith(name) and answers[0].locality == locality
                first += right
                if not right:
                    missed.append((text, [f"{a.score} {a.label}" for a in answers[:3]]))
            found[title] = {"first": round(first / len(asked), 4), **_percentiles(times), "missed": missed[:40]}
        times = []
        for name, locality in asked[:60]:
            text = f"{name} {locality}"
            for end in range(2, len(text) + 1):
                begun = time.perf_counter()
                index.search(Asked(text=text[:end], typing=True))
                times.append(time.perf_counter() - begun)
        found["as_typed"] = _percentiles(times)
        index.close()
    return found


def _percentiles(times: list[float]) -> dict[str, float]:
    return {f"p{p}_ms": round(1000 * float(np.percentile(times, p)), 2) for p in (50, 99)}


def main() -> None:
    """One process per extract, so that peaks are its own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--roads", type=Path, action="append", required=True)
    parser.add_argument("--streets", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--missed", action="store_true", help="Also print what was not found first.")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        print(json.dumps(measure(given.roads[0], given.streets)))
        return
    results = []
    for extract in given.roads:
        command = [sys.executable, "-m", "benchmarks.places", "--alone", "--roads", str(extract), "--streets", str(given.streets)]
        results.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        shown = {
            k: {a: b for a, b in v.items() if given.missed or a != "missed"} if isinstance(v, dict) else v for k, v in results[-1].items()
        }
        print(json.dumps(shown, indent=1, ensure_ascii=False))
    if given.json:
        given.json.write_text(json.dumps({"cores": os.cpu_count(), "results": results}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()

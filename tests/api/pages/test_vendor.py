"""What others wrote, for browsers and for papers, is what the lock names, byte for byte, with its licence."""

import hashlib
import json
import re

from api.pages.static import KINDS, STATIC

VENDOR = STATIC / "vendor"


def test_vendored_files_are_those_that_were_taken_and_of_the_locked_versions() -> None:
    lines = (VENDOR / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    taken = {name: digest for digest, name in (line.split("  ") for line in lines)}
    files = {path.name: path for path in VENDOR.iterdir() if path.suffix in {*KINDS, ".ttf"} and not path.name.startswith("package")}
    assert taken == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
    wanted = json.loads((VENDOR / "package.json").read_text(encoding="utf-8"))["dependencies"]
    locked = json.loads((VENDOR / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert wanted == {name: locked[f"node_modules/{name}"]["version"] for name in wanted}
    assert all(row["integrity"].startswith("sha512-") and "resolved" not in row for name, row in locked.items() if name)
    for name in ("maplibre-gl.mjs", "maplibre-gl-worker.mjs"):
        said = re.search(r"maplibre-gl-js/blob/v([0-9.]+)/LICENSE", files[name].read_text(encoding="utf-8")[:400])
        assert said is not None
        assert said[1] == wanted["maplibre-gl"], "the file is of the version that the lock names"
    assert {path.name.split(".")[0] for path in VENDOR.glob("*.LICENSE")} == {"htmx", "pico", "maplibre-gl", "DejaVuSans"}


def test_nothing_vendored_makes_code_from_text() -> None:
    for name in ("maplibre-gl.mjs", "maplibre-gl-worker.mjs"):
        text = (VENDOR / name).read_text(encoding="utf-8")
        assert not re.search(r"[^.\w]eval\(|new Function\b", text), name

"""Fixtures that every room may need: data files, and the demo territory's roads."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def data_file() -> Callable[[str], Path]:
    """Find a file of the test data by its relative name; skip where it is absent, fail in CI."""
    folder = Path(os.environ.get("ALLONS_DATA", ROOT.parent / "shared" / "data"))

    def find(name: str) -> Path:
        path = folder / name
        if not path.exists():
            sentence = f"test data {name} is missing: set ALLONS_DATA to the folder that holds it"
            if os.environ.get("CI") == "true":
                pytest.fail(sentence)
            pytest.skip(sentence)
        return path

    return find

"""Files are written whole or not at all, and refused by name."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dispatch import files
from dispatch.errors import BadInput
from dispatch.files import load_day, load_plan, write_text
from tests.dispatch.planning.days import random_day


def test_a_file_is_replaced_whole_or_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "plan.json"
    write_text(path, "é" * 1000)
    assert path.read_text(encoding="utf-8") == "é" * 1000

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(BadInput, match=r"plan\.json: .* cannot be written"):
        write_text(path, "new")
    assert path.read_text(encoding="utf-8") == "é" * 1000
    assert [found.name for found in tmp_path.iterdir()] == ["plan.json"]


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "day.json").write_text("{" + " " * 100)
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 50)
    with pytest.raises(BadInput, match="larger"):
        load_day(tmp_path / "day.json")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"null", b"[]", b'{"date": "2026-11-24"}'])
def test_what_is_no_day_is_refused_by_the_files_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "day.json").write_bytes(content)
    with pytest.raises(BadInput, match=r"^day\.json: "):
        load_day(tmp_path / "day.json")


def test_a_file_that_is_exactly_as_large_as_allowed_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b'{"date": "2026-11-24", "drivers": [], "requests": []}'
    (tmp_path / "day.json").write_bytes(content)
    monkeypatch.setattr(files, "MAX_FILE_BYTES", len(content))
    assert load_day(tmp_path / "day.json").requests == ()


@pytest.mark.parametrize("load", [load_day, load_plan])
def test_what_is_absent_a_folder_or_closed_to_us_is_refused_without_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: Callable[[Path], object]
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "closed.json").write_text("{}")
    looked_up = {"absent.json": "no such file", "folder": "cannot be read"}
    for name, word in looked_up.items():
        with pytest.raises(BadInput, match=rf"^{name}: the whole: .*{word}"):
            load(tmp_path / name)

    def closed(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(Path, "read_bytes", closed)
    with pytest.raises(BadInput, match=r"^closed\.json: the whole: .*cannot be read") as caught:
        load(tmp_path / "closed.json")
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("target", ["folder", "none/plan.json", "day.json/plan.json", "x" * 300])
def test_a_place_that_cannot_be_written_is_left_as_it_was(tmp_path: Path, target: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "day.json").write_text("old")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BadInput, match="cannot be written"):
        write_text(tmp_path / target, "new")
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "day.json").read_text() == "old"


def test_a_reader_who_has_the_old_file_open_keeps_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text("old")
    with path.open() as reader:
        write_text(path, "new")
        assert reader.read() == "old"
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o644


def test_what_was_written_is_what_is_read(tmp_path: Path) -> None:
    day = random_day(3)
    write_text(tmp_path / "day.json", day.model_dump_json())
    assert load_day(tmp_path / "day.json") == day

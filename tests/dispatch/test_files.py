"""Files are written whole or not at all, and refused by name."""

from pathlib import Path

import pytest

from dispatch import files
from dispatch.errors import BadInput
from dispatch.files import load_day, write_text


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

"""Files: whole or not at all, on a full disk too."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from kvfloor import files
from kvfloor.files import append_line, cut_torn_line, write_whole

FULL = Path("/dev/full")


def test_a_file_is_replaced_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as stream:
            stream.write(data[:1])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match="No space left") as caught:
            write_whole(target, b"new")
    assert caught.value.filename == str(target)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]
    write_whole(target, b"new")
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full")
def test_a_full_device_is_named() -> None:
    with pytest.raises(OSError, match="/dev/full"):
        write_whole(FULL, b"data")


@pytest.mark.parametrize("torn", [b"", b"{", b"x" * 2**17])
def test_what_is_torn_is_cut_off(tmp_path: Path, torn: bytes) -> None:
    target = tmp_path / "lines"
    for before in (b"", b"first\n", b"first\nsecond\n"):
        target.write_bytes(before + torn)
        assert cut_torn_line(target) == len(torn)
        assert target.read_bytes() == before
        target.write_bytes(before + torn)
        append_line(target, b"next\n")  # another process may have been killed since
        assert target.read_bytes() == before + b"next\n"


def test_no_file_has_no_torn_line(tmp_path: Path) -> None:
    assert cut_torn_line(tmp_path / "none") == 0
    assert list(tmp_path.iterdir()) == []


def test_a_line_that_does_not_fit_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "lines"
    append_line(target, b"first\n")
    room = iter([3])  # bytes left on the disk

    def pwrite(descriptor: int, data: bytes, offset: int) -> int:
        left = next(room, 0)
        if not left:
            raise OSError(errno.ENOSPC, "No space left on device")
        return os.pwrite(descriptor, data[:left], offset)

    class Full:
        def __getattr__(self, name: str) -> object:
            return pwrite if name == "pwrite" else getattr(os, name)

    monkeypatch.setattr(files, "os", Full())
    with pytest.raises(OSError, match="No space left"):
        append_line(target, b"second\n")
    assert target.read_bytes() == b"first\n"

"""Files that no reader meets half written."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["append_line", "cut_torn_line", "write_whole"]

BLOCK = 2**16  # bytes read at a time in search of the last whole line


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a whole file or none: beside it, and then in its place; links are followed.

    Devices and pipes are written to.

    Raises
    ------
    OSError
        If it cannot be written; a file that was there is as it was.
    """
    target = Path(path).resolve()
    with _named(path):
        if target.exists() and not target.is_file():
            target.write_bytes(data)
            return
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            temporary.write_bytes(data)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)


def append_line(path: str | os.PathLike[str], line: bytes) -> None:
    """Append a whole line or nothing, to stay even if the machine stops; several processes may.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    with _alone(path, os.O_RDWR | os.O_CREAT) as descriptor:
        end = _whole(descriptor)
        os.ftruncate(descriptor, end)
        try:
            while line:
                line = line[os.pwrite(descriptor, line, os.fstat(descriptor).st_size) :]
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, end)
            raise


def cut_torn_line(path: str | os.PathLike[str]) -> int:
    """Cut off what follows the last whole line; return its bytes, 0 if the file is not there.

    Raises
    ------
    OSError
        If the file cannot be read or cut.
    """
    with suppress(FileNotFoundError), _alone(path, os.O_RDWR) as descriptor:
        end = _whole(descriptor)
        torn = os.fstat(descriptor).st_size - end
        os.ftruncate(descriptor, end)
        return torn
    return 0


@contextmanager
def _alone(path: str | os.PathLike[str], flags: int) -> Iterator[int]:
    """Open a file and keep others who come through here out until it is closed."""
    with _named(path):
        descriptor = os.open(path, flags, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)


@contextmanager
def _named(path: str | os.PathLike[str]) -> Iterator[None]:
    """Have an error name the file, as that of a write does not."""
    try:
        yield
    except OSError as error:
        error.filename = os.fspath(path)
        raise


def _whole(descriptor: int) -> int:
    """Where the last whole line of a file ends."""
    end = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - BLOCK)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0

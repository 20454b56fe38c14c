"""Reading and writing whole files."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from karvan.errors import DataError, Problem

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"[0-9]{1,15}")


def lines_of(path: Path) -> list[str]:
    """Lines of a text file; bytes that are no UTF-8 are kept as a sign that is in no number.

    Raises:
        DataError: There is no such file, or it is empty.
    """
    if not path.is_file():
        raise DataError(Problem(path.name, None, None, f"there is no file {path}"))
    lines = path.read_bytes().decode("utf-8-sig", errors="replace").splitlines()
    if not any(line.strip() for line in lines):
        raise DataError(Problem(path.name, None, None, "is empty"))
    return lines


def number_of(text: str) -> float:
    """A number in plain digits, without signs that Python alone would take.

    Raises:
        ValueError: It is none, or larger than a number can be.
    """
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"'{text[:30]}' is no number")
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise ValueError(f"'{text[:30]}' is too large")
    return value


def whole_of(text: str) -> int:
    """A whole number of zero or more.

    Raises:
        ValueError: It is none.
    """
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"'{text[:30]}' is no whole number")
    return int(text)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A temporary name beside a file; what is written there takes the file's name when all went well."""
    temporary = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise DataError(Problem(path.name, None, None, f"cannot be written: {error.strerror or error}")) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_lines(path: Path, head: list[str], rows: Iterator[str] | Callable[[], Iterator[str]]) -> None:
    """Lines in UTF-8 with Unix line ends, as a whole."""
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in head)
        file.writelines(f"{line}\n" for line in (rows() if callable(rows) else rows))

"""What commands print: JSON on standard output, progress on standard error."""

from __future__ import annotations

import json
import sys
import time
from typing import Any


def print_json(content: Any) -> None:
    """One JSON object, letters as they are, no NaN."""
    print(json.dumps(content, ensure_ascii=False, allow_nan=False))


class Progress:
    """Lines on standard error once the work has taken a second; overwritten in place on a terminal."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._is_terminal = sys.stderr.isatty()
        self._shown = 0

    def __call__(self, line: str) -> None:
        if time.perf_counter() - self._started < 1.0:
            return
        if self._is_terminal:
            sys.stderr.write("\r" + line.ljust(self._shown))
            self._shown = len(line)
        else:
            sys.stderr.write(line + "\n")
        sys.stderr.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_terminal and self._shown:
            sys.stderr.write("\r" + " " * self._shown + "\r")
            sys.stderr.flush()

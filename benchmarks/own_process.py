"""Work in a process of its own, so that its memory and its first use are its alone."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

_KIB_PER_MIB = 1024.0


def peak_mib() -> float:
    """Most memory that this process has held so far, MiB (Linux counts it in KiB, macOS in bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / _KIB_PER_MIB / (_KIB_PER_MIB if sys.platform == "darwin" else 1.0)


def answer_of(module: str, *arguments: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Run a module with arguments and read the JSON object on the last line that it prints.

    What goes wrong there goes wrong here: its words are shown and the run ends.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], check=False, capture_output=True, encoding="utf-8", env=dict(environment)
    )
    if done.returncode:
        sys.exit(f"{module} {' '.join(arguments)} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found

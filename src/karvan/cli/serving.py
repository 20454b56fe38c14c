"""`karvan serve`: the app in a browser."""

from __future__ import annotations

import argparse
import importlib.util
import json
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

from karvan.errors import DataError, Problem

_NEEDED = ("fastapi", "uvicorn", "xlsxwriter")
_PORT = 8765


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `karvan serve` takes."""
    parser.add_argument("--runs", type=Path, metavar="DIR", help="folder of runs (default: karvan-runs)")
    parser.add_argument("--port", type=int, default=_PORT, help="port, 0 for any that is free (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="runs computed at once (default: %(default)s)")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s, this machine alone)")
    parser.add_argument("--allow-remote", action="store_true", help="let others reach it; needs --password-file")
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="file whose first line is the password that others must know")
    parser.add_argument(
        "--allow-name", action="append", default=[], metavar="NAME", help="name by which others call this machine; repeatable"
    )


def serve(parsed: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        message = f"the server needs {', '.join(missing)}; install them with: python -m pip install 'karvan[web]'"
        raise DataError(Problem("serve", None, None, message))
    from karvan.results import RUNS_FOLDER
    from karvan.web.serve import Started
    from karvan.web.serve import serve as serve_settings
    from karvan.web.settings import Settings, read_password

    settings = Settings(
        corridor=parsed.corridor,
        runs=parsed.runs or RUNS_FOLDER,
        host=parsed.host,
        port=parsed.port,
        is_remote=parsed.allow_remote,
        password=None if parsed.password_file is None else read_password(parsed.password_file),
        names=tuple(parsed.allow_name),
        workers=parsed.workers,
    )
    if settings.password is not None and not settings.is_remote:
        raise DataError(Problem("serve", None, "password-file", "a password is asked of others only; add --allow-remote"))
    signal.signal(signal.SIGTERM, _stop)

    def on_start(started: Started) -> None:
        print(json.dumps({"address": started.address}) if parsed.json else "\n".join(started.lines), flush=True)

    serve_settings(settings, on_start=on_start, has_browser=not parsed.no_browser)
    if not parsed.json:
        print("Stopped. Finished runs are saved; jobs that waited or ran can be resumed when it runs again.")
    return 0


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(0)

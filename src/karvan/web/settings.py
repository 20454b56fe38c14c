"""How a server is started."""

from __future__ import annotations

import ipaddress
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from karvan.errors import DataError, Problem
from karvan.results import RUNS_FOLDER

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
DEFAULT_PORT = 8765
_LEAST_PASSWORD = 12


@dataclass(frozen=True)
class Settings:
    """What a server is told when it starts.

    Attributes:
        corridor: Folder of a corridor, or the name of a packaged one.
        runs: Folder of run folders; made when first needed.
        host: Address to listen on.
        port: Port, 0 for any that is free.
        is_remote: Others than this machine may reach it; needs a password.
        password: What others must know; None on this machine alone.
        names: Names, beside addresses, by which others may call the server.
        workers: Runs computed at once.
        most_waiting: Jobs that may wait.
        keep_ended_h: Hours for which ended jobs are listed.
    """

    corridor: str = "middle-corridor"
    runs: Path = RUNS_FOLDER
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    is_remote: bool = False
    password: str | None = None
    names: tuple[str, ...] = ()
    workers: int = 1
    most_waiting: int = 20
    keep_ended_h: float = 24.0

    def __post_init__(self) -> None:
        problems = []
        if not self.is_remote and not is_loopback(self.host):
            message = (
                f"{self.host} can be reached by others, who could then read all runs and start work here; "
                "add --allow-remote and --password-file FILE if that is what you want, or leave --host out"
            )
            problems.append(Problem("serve", None, "host", message))
        if self.is_remote and self.password is None:
            problems.append(Problem("serve", None, "password-file", "--allow-remote needs --password-file FILE"))
        if not 0 <= self.port < 2**16:
            problems.append(Problem("serve", None, "port", f"port is {self.port}, must be 0 to 65535"))
        if self.workers < 1:
            problems.append(Problem("serve", None, "workers", f"workers is {self.workers}, must be 1 or more"))
        if problems:
            raise DataError(problems)


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def read_password(path: Path) -> str:
    """The password in a file's first line.

    Raises:
        DataError: There is no such file, others can read it, or the password is short.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        mode = stat.S_IMODE(path.stat().st_mode)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(Problem("serve", None, "password-file", f"{path} cannot be read: {error}")) from error
    if os.name == "posix" and mode & 0o077:
        raise DataError(Problem("serve", None, "password-file", f"{path} can be read by others on this machine; run chmod 600 {path}"))
    password = lines[0].strip() if lines else ""
    if len(password) < _LEAST_PASSWORD:
        message = f"the password in {path} has {len(password)} characters, must have {_LEAST_PASSWORD} or more in its first line"
        raise DataError(Problem("serve", None, "password-file", message))
    return password

"""A server started and stopped."""

from __future__ import annotations

import errno
import os
import socket
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn

from karvan.errors import DataError, Problem
from karvan.web.app import create_app
from karvan.web.server import Server
from karvan.web.settings import Settings
from karvan.web.shelf import OWN_FOLDER

_GRACE_S = 3
_MOST_CONNECTIONS = 200


@dataclass(frozen=True)
class Started:
    """A server that is about to answer.

    Attributes:
        address: To be opened in a browser; holds the token of the launch, or leads to the form for the password.
        lines: What the person who started it must know.
    """

    address: str
    lines: tuple[str, ...]


def serve(settings: Settings, *, on_start: Callable[[Started], None], has_browser: bool = True) -> None:
    """Answer until Ctrl-C or SIGTERM.

    Args:
        settings: How to start.
        on_start: Called once the port is there.
        has_browser: Open the page in a browser.

    Raises:
        DataError: The port or the folder of runs is taken, or the corridor is wrong.
    """
    with _Claim(settings.runs), _listening(settings) as listening:
        port = int(listening.getsockname()[1])
        server = Server(settings, port=port)
        try:
            address = start_address(server)
            on_start(Started(address, _first_lines(settings, server, address)))
            if has_browser and not settings.is_remote:
                webbrowser.open(address)
            _Uvicorn(server).run(sockets=[listening])
        except KeyboardInterrupt:
            pass
        finally:
            server.stop()


def start_address(server: Server) -> str:
    """The address that lets a browser change things."""
    base = f"http://{_shown_host(server.settings.host)}:{server.port}/"
    return base if server.sessions.needs_password else f"{base}?token={server.sessions.launch_token}"


def _shown_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _first_lines(settings: Settings, server: Server, address: str) -> tuple[str, ...]:
    lines = [f"Karvan serves {server.corridor.manifest.title} and the runs in {settings.runs}.", "", f"  {address}", ""]
    if settings.is_remote:
        lines += [
            f"Others can reach this: whoever can connect to port {server.port} of this machine and knows the password can read all runs,",
            "start and delete some, and keep this machine busy. What is sent is not encrypted, the password neither: in any network but",
            "one you trust put a proxy with TLS before it.",
        ]
    else:
        lines.append("Only this machine can reach it. The address holds a key that is good until it stops; do not pass it on.")
    return (*lines, "Ctrl-C stops it.")


class _Uvicorn(uvicorn.Server):
    """The HTTP server; streams end as soon as it is told to stop."""

    def __init__(self, server: Server) -> None:
        self._karvan = server
        super().__init__(
            uvicorn.Config(
                create_app(server),
                log_config=None,
                access_log=False,  # addresses would hold the token
                server_header=False,
                ws="none",
                proxy_headers=False,
                limit_concurrency=_MOST_CONNECTIONS,
                timeout_graceful_shutdown=_GRACE_S,
                timeout_keep_alive=30,
            )
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._karvan.is_ending = True
        super().handle_exit(sig, frame)


def _listening(settings: Settings) -> socket.socket:
    """A socket that listens on the address and port.

    Raises:
        DataError: The port is taken, or the address is none of this machine.
    """
    try:
        family = socket.getaddrinfo(settings.host.strip("[]"), settings.port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(*family[:3])  # with its protocol, or small answers wait for others to be confirmed
    except OSError as error:
        raise DataError(Problem("serve", None, "host", f"{settings.host} is no address of this machine ({error})")) from error
    try:
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # elsewhere it would let two servers share a port
        listening.bind(family[4])
        listening.listen()  # who calls from now on waits until there is an answer
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            message = f"port {settings.port} is taken, perhaps by another karvan serve; choose another with --port, or --port 0 for any"
            raise DataError(Problem("serve", None, "port", message)) from error
        raise DataError(Problem("serve", None, "host", f"cannot listen on {settings.host}:{settings.port} ({error})")) from error
    return listening


class _Claim:
    """A folder of runs is one server's at a time, or each would take the other's jobs for interrupted."""

    def __init__(self, runs: Path) -> None:
        self._path = runs / OWN_FOLDER / "server.lock"
        self._handle: int | None = None

    def __enter__(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise DataError(
                Problem("serve", None, "runs", f"{self._path.parent} cannot be written ({error}); name another folder")
            ) from error
        try:
            _lock(self._handle)
        except OSError as error:
            os.close(self._handle)
            message = f"another karvan serve uses {self._path.parent.parent}; stop it, or name another folder with --runs"
            raise DataError(Problem("serve", None, "runs", message)) from error

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            os.close(self._handle)  # which lets go of the lock


def _lock(handle: int) -> None:
    """Lock a file for this process; the system lets go of it when the process ends, however it ends."""
    try:
        import fcntl
    except ImportError:
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]  # on Windows only
        return
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

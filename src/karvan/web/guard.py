"""What stands before every request: who is called, from where, with what token, how much is sent; and the headers of every answer."""

from __future__ import annotations

import asyncio
import http.cookies
import ipaddress
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from karvan.errors import Problem
from karvan.web.refused import problem, told
from karvan.web.sessions import Sessions
from karvan.web.settings import LOOPBACK_NAMES

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BODY_BYTES = 64 * 1024
TOKEN_HEADER = "x-karvan-token"
CONTENT_POLICY = (
    "default-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Style attributes are let through because charts write them into their tooltips; scripts, styles and requests are the server's own."""
_BODY_SECONDS = 20.0
_SAFE = ("GET", "HEAD")
_OPEN_TO_ALL = ("/login", "/login.js", "/api/login")
_HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cache-control": "no-store",
}


def cookie_name(port: int) -> str:
    """Cookies are not told apart by port, so each server's has the port in its name."""
    return f"karvan_{port}"


class Guard:
    """Lets through what may pass.

    Args:
        app: What answers.
        sessions: Good tokens.
        port: Port that the server listens on.
        is_remote: Others may call it, by address or by one of the names.
        names: Such names.
    """

    def __init__(self, app: App, *, sessions: Sessions, port: int, is_remote: bool, names: tuple[str, ...]) -> None:
        self._app = app
        self._sessions = sessions
        self._port = port
        self._is_remote = is_remote
        self._names = {name.lower() for name in (*LOOPBACK_NAMES, *names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in message.get("headers", [])}
                more = [(name.encode(), value.encode()) for name, value in _HEADERS.items() if name.encode() not in own]
                message["headers"] = [*message.get("headers", []), *more]
            await send(message)

        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        scope["karvan_token"] = self._token(headers)
        refusal = self._refusal(scope, headers)
        if refusal is None and scope["method"] not in _SAFE:
            body = await _body(receive)
            if body is None:
                refusal = 413, problem("body_too_large", most=MOST_BODY_BYTES // 1024)
            else:
                receive = _replayed(body, receive)
        if refusal is not None:
            if refusal[0] == 401 and "authorization" in headers and self._sessions.needs_password:
                await self._sessions.wait_out()
            await _answer(with_headers, *refusal)
            return
        await self._app(scope, receive, with_headers)

    def _token(self, headers: dict[str, str]) -> str | None:
        """The token of the cookie, if it is good."""
        try:
            cookies = http.cookies.SimpleCookie(headers.get("cookie", ""))
        except http.cookies.CookieError:
            return None
        found = cookies.get(cookie_name(self._port))
        return found.value if found is not None and self._sessions.is_good(found.value) else None

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> tuple[int, Problem] | None:
        method, path = scope["method"], scope["path"]
        if not self._is_host(headers.get("host", "")):
            return 400, problem("other_host")
        if method not in (*_SAFE, "POST", "PATCH", "DELETE"):
            return 405, problem("method", name=method)
        if not self._is_own_origin(headers):
            return 403, problem("other_site")
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and path.startswith("/api/"):
            return 403, problem("other_site")
        bearer = headers.get("authorization", "").removeprefix("Bearer ") if self._sessions.needs_password else ""
        knows = bool(bearer) and self._sessions.knows_password(bearer)
        scope["karvan_may_change"] = knows or self._sessions.is_good(headers.get(TOKEN_HEADER))
        if path in _OPEN_TO_ALL:
            return None
        if self._sessions.needs_password and not (knows or scope["karvan_token"] or scope["karvan_may_change"]):
            if method in _SAFE and path == "/":
                scope["path"], scope["raw_path"] = "/login", b"/login"
                return None
            return 401, problem("log_in")
        if method not in _SAFE and not scope["karvan_may_change"]:
            return 401, problem("change_needs_token")
        return None

    def _is_host(self, host: str) -> bool:
        name, port = _split_host(host)
        if port != self._port:
            return False
        if name.lower() in self._names:
            return True
        if not self._is_remote:
            return False
        try:
            ipaddress.ip_address(name)  # an address cannot be made to point elsewhere, as a name can
        except ValueError:
            return False
        return True

    def _is_own_origin(self, headers: dict[str, str]) -> bool:
        origin = headers.get("origin")
        if origin is None:
            return True
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and parts.netloc.lower() == headers.get("host", "").lower()


def _split_host(host: str) -> tuple[str, int]:
    """Name and port of a Host header; port 80 where it has none, -1 where it makes no sense."""
    try:
        parts = urlsplit(f"//{host}")
        return parts.hostname or "", 80 if parts.port is None else parts.port
    except ValueError:
        return "", -1


async def _body(receive: Receive) -> bytes | None:
    """The whole body, or None if it is too large or does not come."""
    parts, size = [], 0
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return None
                part = message.get("body", b"")
                size += len(part)
                if size > MOST_BODY_BYTES:
                    return None
                parts.append(part)
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        return None


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A receive that gives the body again, then what comes after it."""
    is_given = False

    async def again() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _answer(send: Send, status: int, why: Problem) -> None:
    content = json.dumps(told([why])).encode("utf-8")
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers if status == 413 else headers[:2]})
    await send({"type": "http.response.body", "body": content})

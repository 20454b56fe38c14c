"""Who may change things: the token of the launch, and sessions of those who know the password."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from threading import Lock

_MOST_SESSIONS = 200
_DELAY_S = 1.0


class Sessions:
    """Tokens that are good until the server ends.

    Args:
        password: What others must know, or None where the server is this machine's alone.
    """

    def __init__(self, password: str | None = None) -> None:
        self.launch_token = secrets.token_urlsafe(24)
        self._password = password
        self._tokens = [self.launch_token]
        self._guard = Lock()
        self._turn = asyncio.Lock()

    @property
    def needs_password(self) -> bool:
        return self._password is not None

    def is_good(self, token: str | None) -> bool:
        """Whether a token belongs to somebody who may change things."""
        if not token:
            return False
        with self._guard:
            known = list(self._tokens)
        given = token.encode("utf-8")
        return any([hmac.compare_digest(given, own.encode("utf-8")) for own in known])  # noqa: C419 - always as long

    def knows_password(self, password: str) -> bool:
        """Whether a password is the server's."""
        return self._password is not None and hmac.compare_digest(password.encode("utf-8"), self._password.encode("utf-8"))

    async def wait_out(self) -> None:
        """The wait that follows a wrong password, one after the other for all who guess."""
        async with self._turn:
            await asyncio.sleep(_DELAY_S)

    async def login(self, password: str) -> str | None:
        """A new token for the right password; for a wrong one None, after a wait that all who guess share."""
        if not self.knows_password(password):
            await self.wait_out()
            return None
        token = secrets.token_urlsafe(24)
        with self._guard:
            self._tokens = [self._tokens[0], *self._tokens[1:][-_MOST_SESSIONS:], token]
        return token

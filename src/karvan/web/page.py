"""The page itself: files that the build of the screen left in the package, from a list made at the start."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from karvan.web.guard import cookie_name
from karvan.web.reading import server_of
from karvan.web.refused import not_found

_PAGE = "app.html"
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".woff2": "font/woff2", ".json": "application/json"}
_NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Karvan</title>
<h1>Karvan</h1><p>The server runs, but the screen has not been built in this copy. Build it with <code>make ui</code>,
or install the package from a wheel, which holds it.</p><p>What the server answers to programs stands in
<code>docs/reference/rest.md</code>; <a href="/api/runs">saved runs</a>.</p></html>
"""
_LOGIN = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Karvan</title>
<h1>Karvan</h1><p>This server asks for a password.</p><form id="login"><label>Password
<input type="password" name="password" autocomplete="current-password" required></label> <button>Log in</button></form>
<p role="alert" id="said"></p><script src="/login.js"></script></html>
"""
_LOGIN_SCRIPT = """const form = document.getElementById("login");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await fetch("/api/login", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ password: form.elements.password.value }),
  });
  if (answer.ok) {
    location.href = "/";
  } else {
    const said = await answer.json();
    document.getElementById("said").textContent = said.problems.map((problem) => problem.message).join(" ");
  }
});
"""


def page_files(folder: Path | None = None) -> dict[str, Path]:
    """Files of the built page by name.

    Args:
        folder: Where they are; by default in the package.
    """
    place = folder or Path(str(resources.files("karvan"))) / "report" / "static"
    return {path.name: path for path in sorted(place.iterdir()) if path.is_file()} if place.is_dir() else {}


def page_router(files: Mapping[str, Path]) -> APIRouter:
    """Requests for the page.

    Args:
        files: As `page_files` gives them.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def home(request: Request, token: str | None = None) -> Response:
        if token is not None:
            server = server_of(request)
            answer: Response = RedirectResponse("/", status_code=303)
            if server.sessions.is_good(token) and not server.sessions.needs_password:
                answer.set_cookie(cookie_name(server.port), token, httponly=True, samesite="strict", path="/")
            return answer
        return _file(files[_PAGE]) if _PAGE in files else HTMLResponse(_NOT_BUILT)

    @router.get("/login")
    def login() -> Response:
        return HTMLResponse(_LOGIN)

    @router.get("/login.js")
    def login_script() -> Response:
        return Response(_LOGIN_SCRIPT, media_type="text/javascript")

    @router.get("/favicon.ico")
    def icon() -> Response:
        return _file(files["favicon.ico"]) if "favicon.ico" in files else Response(status_code=204)  # browsers ask, and report a lack

    @router.get("/static/{name}")
    def asset(name: str) -> Response:
        if name not in files:
            raise not_found("file", name[:100])
        return _file(files[name])

    return router


def _file(path: Path) -> Response:
    kind: Any = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Response(path.read_bytes(), media_type=kind, headers={"cache-control": "no-cache"})

"""The application: what is asked, what guards it, how failures are told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from anyio.to_thread import run_sync
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from karvan import __version__
from karvan.errors import KarvanError, Problem
from karvan.web import reading, working
from karvan.web.guard import Guard
from karvan.web.page import page_files, page_router
from karvan.web.refused import Refused, problem, refusal_of, told
from karvan.web.server import Server

_SIDES = ("body", "query", "path", "header")


def create_app(server: Server, *, files: Mapping[str, Path] | None = None) -> Guard:
    """The guarded application of a server; it stops the server when it ends.

    Args:
        server: What it answers from.
        files: Files of the page; by default those of the package.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await run_sync(server.stop)

    return Guard(
        _application(server, page_files() if files is None else files, lifespan),
        sessions=server.sessions,
        port=server.port,
        is_remote=server.settings.is_remote,
        names=server.settings.names,
    )


def openapi() -> dict[str, Any]:
    """What the server says of its requests, without a server."""
    app = FastAPI(title="Karvan", version=__version__)
    for router in (reading.router, working.router):
        app.include_router(router)
    return app.openapi()


def _application(server: Server, files: Mapping[str, Path], lifespan: Any) -> FastAPI:
    app = FastAPI(title="Karvan", version=__version__, openapi_url="/api/openapi.json", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.server = server
    app.include_router(reading.router)
    app.include_router(working.router)
    app.include_router(page_router(files))

    @app.exception_handler(Refused)
    async def _refused(_: Request, error: Refused) -> JSONResponse:
        return JSONResponse(told(error.problems), status_code=error.status)

    @app.exception_handler(KarvanError)
    async def _model(_: Request, error: KarvanError) -> JSONResponse:
        refusal = refusal_of(error)
        return JSONResponse(told(refusal.problems), status_code=refusal.status)

    @app.exception_handler(RequestValidationError)
    async def _validation(_: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse(told(_problems(error.errors())), status_code=422)

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse(told([Problem("request", None, None, str(error.detail))]), status_code=error.status_code)

    @app.exception_handler(Exception)
    async def _fault(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse(told([problem("our_fault", table="server")]), status_code=500)

    return app


def _problems(errors: Sequence[Any]) -> list[Problem]:
    """What pydantic found, in our own form: body.years.first of the request."""
    found = []
    for item in errors:
        parts = [str(part) for part in item["loc"]]
        column = ".".join(parts[1:] if parts and parts[0] in _SIDES else parts) or None
        message = str(item["msg"]).removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = "unknown key; check its spelling"
        elif item["type"] == "string_pattern_mismatch" and column is not None and column.endswith("_id"):
            message = "is no id of this kind"
        found.append(Problem("request", None, column, message))
    return found

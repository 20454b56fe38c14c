"""Requests that change something or start work: runs named and put away, jobs, one year moved, routes; and the session that allows it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from karvan import __version__
from karvan.web.asked import (
    JOB_ID,
    CrossingsAsked,
    EnergyAsked,
    JobAsked,
    LiveAsked,
    LoginAsked,
    MoneyAsked,
    Renamed,
    RouteAsked,
    TradeAsked,
)
from karvan.web.guard import cookie_name
from karvan.web.jobs import DONE
from karvan.web.reading import At, RunId, server_of
from karvan.web.refused import refused

router = APIRouter(prefix="/api")

ClientId = Annotated[str, Path(min_length=1, max_length=60)]
JobId = Annotated[str, Path(pattern=JOB_ID)]
_ROUTES_TEXT = {
    "base": "Routes are those of the base year at their costs; a way that would only now be worth taking is missing until a run finds it.",
    "measured": "Routes are those of the base, measured anew at the new costs; a way that would only now be worth taking is missing.",
    "searched": "The network changed, so that routes were looked for anew.",
}


@router.get("/session")
def session(request: Request) -> dict[str, Any]:
    """What this browser may do."""
    server = server_of(request)
    token = request.scope["karvan_token"]
    manifest = server.corridor.manifest
    return {
        "version": __version__,
        "corridor": manifest.id,
        "title": manifest.title,
        "token": token,
        "may_change": token is not None or request.scope["karvan_may_change"],
        "needs_password": server.sessions.needs_password,
    }


@router.post("/login")
async def login(request: Request, asked: LoginAsked) -> Response:
    """A session for who knows the password."""
    server = server_of(request)
    if not server.sessions.needs_password:
        raise refused(409, "no_password")
    token = await server.sessions.login(asked.password)
    if token is None:
        raise refused(401, "wrong_password", column="password")
    answer = JSONResponse({"ok": True})
    answer.set_cookie(cookie_name(server.port), token, httponly=True, samesite="strict", path="/")
    return answer


@router.patch("/runs/{run_id}")
def rename(server: At, run_id: RunId, asked: Renamed) -> dict[str, Any]:
    """Name a run."""
    return server.shelf.rename(run_id, asked.name.strip() or asked.name)


@router.delete("/runs/{run_id}")
def put_away(server: At, run_id: RunId) -> dict[str, Any]:
    """Move a run to the trash."""
    server.shelf.put_away(run_id)
    return {"run_id": run_id, "is_in_trash": True}


@router.post("/runs/{run_id}/restore")
def take_back(server: At, run_id: RunId) -> dict[str, Any]:
    """Take a run out of the trash."""
    return server.shelf.take_back(run_id)


@router.post("/jobs", status_code=202)
def add_job(server: At, asked: JobAsked) -> Response:
    """Ask for a run."""
    job = server.add_job(asked)
    return JSONResponse(job, status_code=200 if job["state"] == DONE else 202)


@router.get("/jobs")
def jobs(server: At) -> dict[str, Any]:
    """Jobs, newest first."""
    return {"jobs": server.desk.all_told()}


@router.get("/jobs/{job_id}")
def job(server: At, job_id: JobId) -> dict[str, Any]:
    """One job."""
    return server.desk.told(job_id)


@router.delete("/jobs/{job_id}")
def cancel(server: At, job_id: JobId) -> dict[str, Any]:
    """Cancel a job."""
    return server.desk.cancel(job_id)


@router.post("/jobs/{job_id}/resume")
def resume(server: At, job_id: JobId) -> dict[str, Any]:
    """Put a job back into the queue."""
    return server.desk.resume(job_id)


@router.get("/jobs/{job_id}/events")
def events(server: At, job_id: JobId, last_event_id: Annotated[str | None, Header()] = None) -> Response:
    """What happens to a job, as server-sent events."""
    log = server.desk.log(job_id)
    seen = int(last_event_id) if last_event_id is not None and last_event_id.isascii() and last_event_id.isdigit() else None
    if seen is not None and log.is_over_at(seen):
        return Response(status_code=204)  # all was seen: the browser need not come again
    stream = log.stream(seen, is_over=lambda: server.is_ending)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"cache-control": "no-store", "x-accel-buffering": "no"})


@router.post("/live")
def live(server: At, asked: LiveAsked) -> Response:
    """One year, cleared again from where it stood."""
    answer = server.move(asked)
    return JSONResponse({**answer, "routes_text": _ROUTES_TEXT[answer["routes"]]})


@router.post("/routes")
def routes(server: At, asked: RouteAsked) -> Response:
    """A shipper's options, and what rules refuse."""
    return JSONResponse(server.route(asked))


@router.post("/crossings")
def simulate(server: At, asked: CrossingsAsked) -> Response:
    """A system simulated in a year, with a month hour by hour."""
    return JSONResponse(server.simulate(asked))


@router.get("/crossings/{client}")
def simulating(server: At, client: ClientId) -> dict[str, Any]:
    """How far a browser's simulation is."""
    return server.simulations.progress(client)


@router.delete("/crossings/{client}")
def stop_simulating(server: At, client: ClientId) -> dict[str, Any]:
    """Cancel a browser's simulation."""
    return server.simulations.cancel(client)


@router.post("/energy")
def energy(server: At, asked: EnergyAsked) -> Response:
    """Power hour by hour, or crude oil by route, in a year."""
    return JSONResponse(server.energy(asked))


@router.post("/trade")
def trade(server: At, asked: TradeAsked) -> Response:
    """Tariffs apart and together in a year, or trade up to it."""
    return JSONResponse(server.trade(asked))


@router.post("/money")
def money(server: At, asked: MoneyAsked) -> Response:
    """What a set of measures is worth and to whom, or what to build when."""
    return JSONResponse(server.money(asked))


@router.get("/money/{client}")
def appraising(server: At, client: ClientId) -> dict[str, Any]:
    """How far a browser's appraisal or portfolio is."""
    return server.monies.progress(client)


@router.delete("/money/{client}")
def stop_appraising(server: At, client: ClientId) -> dict[str, Any]:
    """Cancel a browser's appraisal or portfolio."""
    return server.monies.cancel(client)


@router.post("/values")
def values(server: At, asked: LiveAsked) -> dict[str, Any]:
    """What can be moved, as it holds in a year."""
    return server.values(asked)

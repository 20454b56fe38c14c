"""Requests that read: the case, runs and their tables, comparisons, sources."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import JSONResponse, Response

from karvan.report import render_answer
from karvan.results import compare_runs
from karvan.results.ensemble_store import kept_answers
from karvan.validation import explain
from karvan.web.asked import RUN_ID
from karvan.web.case import fitting_inputs
from karvan.web.refused import refused
from karvan.web.server import Server
from karvan.web.tables import FORMATS, MOST_ROWS, Choice, as_csv, as_geojson, as_json, as_xlsx, chosen, table_list
from karvan.web.worker import MARKET, SELECT_LINK

router = APIRouter(prefix="/api")

RunId = Annotated[str, Path(pattern=RUN_ID)]
EnsembleId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]
RunIdAsked = Annotated[str, Query(pattern=RUN_ID)]
Case = Literal["scenario", "baseline"]
Word = Annotated[str, Query(min_length=1, max_length=200)]
Year = Annotated[int | None, Query(ge=1900, le=2200)]
Words = Annotated[list[Annotated[str, Query(max_length=200)]], Query(max_length=20)]
_REPORT_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
    "frame-ancestors 'none'; sandbox allow-scripts allow-downloads allow-popups"
)
"""A report is a page of its own with everything in it; it can call nobody, not even the server."""


def server_of(request: Request) -> Server:
    """The server that a request is made to."""
    server: Server = request.app.state.server
    return server


def require_token(request: Request) -> None:
    """Refuse who may only read."""
    if not request.scope.get("karvan_may_change"):
        raise refused(401, "needs_token")


At = Annotated[Server, Depends(server_of)]
Allowed = Depends(require_token)


@router.get("/corridor")
def corridor(server: At) -> Response:
    """Scenarios, measures as cards, assumptions that can be moved."""
    return JSONResponse(server.case)


@router.get("/sources")
def all_sources(
    server: At,
    q: Annotated[str, Query(max_length=200)] = "",
    confidence: Annotated[list[Literal["sourced", "recalled", "estimate"]] | None, Query()] = None,
    table: Annotated[str | None, Query(max_length=60)] = None,
    source: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0)] = 0,
    format: Literal["json", "csv"] = "json",  # noqa: A002 - the name of the query
) -> Response:
    """Every number that people put into the case."""
    found = fitting_inputs(server.inputs, words=q, confidence=list(confidence or ()), table=table, source=source)
    if format == "csv":
        return _file(as_csv(found), "csv", f"{server.corridor.manifest.id}-inputs.csv")
    rows = found.slice(offset, limit).to_dicts()
    numbers, listed = server.sources["numbers"], server.sources["sources"]
    return JSONResponse(
        {"count": found.height, "offset": offset, "limit": limit, "numbers": numbers, "inputs": rows, "sources": listed}
    )  # fmt: skip


@router.get("/runs")
def runs(server: At) -> dict[str, Any]:
    """Saved runs, newest first."""
    return {"runs": server.shelf.runs()}


@router.get("/trash")
def trash(server: At) -> dict[str, Any]:
    """Runs that were put away."""
    return {"runs": server.shelf.trash()}


@router.get("/runs/{run_id}/screen")
def screen(server: At, run_id: RunId) -> Response:
    """Everything that the page draws of a run."""
    return Response(server.screen(run_id), media_type="application/json")


@router.get("/runs/{run_id}/screen/against/{other}")
def screen_against(server: At, run_id: RunId, other: RunId) -> Response:
    """What differs between two runs, as the page draws it."""
    return JSONResponse(server.compared(run_id, other))


@router.get("/runs/{run_id}/report")
def report(server: At, run_id: RunId) -> Response:
    """The run's report, as a page."""
    try:
        content = (server.shelf.saved(run_id).folder / "report.html").read_bytes()
    except FileNotFoundError as error:
        raise refused(404, "no_report", table="run", name=run_id) from error
    return Response(content, media_type="text/html; charset=utf-8", headers={"content-security-policy": _REPORT_POLICY})


@router.get("/ensembles")
def ensembles(server: At) -> dict[str, Any]:
    """What many futures have said, newest first: answers of `karvan ensemble` kept beside the runs or among them."""
    return {"ensembles": kept_answers(server.ensemble_folders, server.corridor.manifest.id)}


@router.get("/ensembles/{ensemble_id}")
def ensemble(server: At, ensemble_id: EnsembleId) -> Response:
    """What the room of futures draws of an answer: what `karvan ensemble --json` prints, with names and a network to draw."""
    return JSONResponse(server.futures(ensemble_id))


@router.get("/ensembles/{ensemble_id}/page")
def ensemble_page(server: At, ensemble_id: EnsembleId, language: Literal["en", "ru", "de", "kk", "az"] = "en") -> Response:
    """The same as a page for a browser, whole in itself."""
    content = render_answer("futures", server.futures(ensemble_id), language=language)
    return Response(content, media_type="text/html; charset=utf-8", headers={"content-security-policy": _REPORT_POLICY})


@router.get("/runs/{run_id}/tables")
def tables(server: At, run_id: RunId) -> dict[str, Any]:
    """The tables of a run."""
    return {"tables": table_list(server.shelf.saved(run_id))}


@router.get("/runs/{run_id}/tables/{name}")
def table(
    server: At,
    run_id: RunId,
    name: Annotated[str, Path(pattern=r"^[a-z_]{1,40}$")],
    format: Literal["json", "csv", "xlsx", "geojson"] = "json",  # noqa: A002 - the name of the query
    sort: Words = [],  # noqa: B006 - FastAPI copies it
    filter: Words = [],  # noqa: A002, B006
    columns: Words = [],  # noqa: B006
    limit: Annotated[int | None, Query(ge=1)] = None,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """A table of a run, chosen and sorted, as JSON or as a file."""
    saved = server.shelf.saved(run_id)
    frame = chosen(saved, name, Choice(tuple(filter), tuple(sort), tuple(columns)))
    if format == "json":
        if limit is not None and limit > MOST_ROWS:
            raise refused(422, "rows_limit", column="limit", limit=limit, most=MOST_ROWS)
        return JSONResponse(as_json(name, frame, limit=100 if limit is None else limit, offset=offset))
    part = frame.slice(offset, limit)
    if format == "csv":
        content = as_csv(part)
    elif format == "xlsx":
        told = server.shelf.entry(run_id)
        about = [("run", run_id), ("name", told["name"]), ("scenario", told["scenario"]), ("corridor", told["corridor"])]
        about += [("saved", told["saved_at"]), ("table", name), *(("filter", item) for item in filter)]
        content = as_xlsx(name, part, [*about, ("note", "Units stand in the names of columns; see docs/reference.")])
    else:
        content = as_geojson(name, part, server.known)
    return _file(content, format, f"{name}-{run_id}.{format}")


@router.get("/runs/{run_id}/explain")
def explained(server: At, run_id: RunId, ref: Word) -> dict[str, Any]:
    """Where a number comes from, and what a run says of it."""
    own = server.shelf.corridor_of(run_id)
    references = server.known if own is server.corridor or own.hash == server.corridor.hash else None
    answer = explain(own, ref, saved=server.shelf.saved(run_id), references=references)
    for match in answer["matches"]:
        if match["results"] is not None:
            match["results"] = {key: value for key, value in match["results"].items() if key != "folder"}
    return answer


@router.get("/runs/{run_id}/select-link", dependencies=[Allowed])
def select_link(server: At, run_id: RunId, element: Word, year: Year = None, case: Case = "scenario") -> dict[str, Any]:
    """What rests on a facility or link, and what its closing costs."""
    return server.question(SELECT_LINK, run_id, case, element=element, year=year)


@router.get("/runs/{run_id}/market", dependencies=[Allowed])
def market(server: At, run_id: RunId, market: Word, year: Year = None, case: Case = "scenario") -> dict[str, Any]:
    """Why a market chose as it did."""
    return server.question(MARKET, run_id, case, market=market, year=year)


@router.get("/runs/{run_id}/ladder", dependencies=[Allowed])
def ladder(
    server: At, run_id: RunId, year: Year = None, to_mt: Annotated[float, Query(gt=0, le=1e4)] = 10.0, case: Case = "baseline"
) -> dict[str, Any]:
    """What binds on the way to a target."""
    return server.ladder(run_id, case, year=year, to_mt=to_mt)


@router.get("/compare")
def compare(
    server: At,
    a: RunIdAsked,
    b: RunIdAsked,
    year: Year = None,
    case: Literal["scenario", "baseline", "low", "high"] = "scenario",
) -> Response:
    """What differs between two runs."""
    told = {side: server.shelf.entry(run_id) for side, run_id in (("a", a), ("b", b))}
    found = compare_runs(server.shelf.saved(a), server.shelf.saved(b), case=case, year=year)
    names = {key: row["name"] for key, row in server.known.rows["facilities"].items()}
    rows = [{**row, "name": names.get(row["facility_id"], row["facility_id"])} for row in found["facilities"]]
    sides = {side: {key: entry[key] for key in ("run_id", "name", "scenario", "years")} for side, entry in told.items()}
    found["inputs"]["options"] = {side: entry["options"] for side, entry in told.items()}
    return JSONResponse({**sides, **found, "facilities": rows})


def _file(content: bytes, kind: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=FORMATS[kind], headers=headers)

"""Documents of an appraisal and of a portfolio as a screen draws them: what their commands print as JSON, with names and the workbook."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from typing import Any

from karvan.corridor import Corridor
from karvan.measures import measures_of
from karvan.report.document import cut, document_of
from karvan.results import Appraisal, PortfolioPlan


def appraisal_screen(found: Appraisal, corridor: Corridor, *, version: str, workbook: bytes | None = None) -> dict[str, Any]:
    """What a page shows of an appraisal; see `docs/reference/screen.md`.

    Args:
        found: What `karvan.appraise` gave.
        corridor: The corridor that was asked about.
        version: Of Karvan.
        workbook: Its workbook, for the page to hand out.
    """
    told = cut(found.as_dict())
    told.pop("accounts")  # parties by country hold their present value; the workbook holds them by year
    used = {row[key] for row in told["traffic"] for key in ("to_family", "from_family")} | {row["operator_id"] for row in told["sponsors"]}
    called = _called(corridor, [*used, *told["measure_ids"]])
    content = {**told, "called": called, "workbook": None if workbook is None else b64encode(workbook).decode("ascii")}
    return document_of("karvan-appraisal", found.scenario_id, corridor, content, version=version)


def plan_screen(found: PortfolioPlan, corridor: Corridor, *, version: str) -> dict[str, Any]:
    """What a page shows of a portfolio; see `docs/reference/screen.md`.

    Args:
        found: What `karvan.plan` gave.
        corridor: The corridor that was asked about.
        version: Of Karvan.
    """
    told = cut(found.as_dict())
    used = [row["measure_id"] for name in ("candidates", "left_out") for row in told[name]]
    used += [row["fund_id"] for row in told["budgets"]] + [row["partner_id"] for row in told["split"]]
    used += [row["operator_id"] for row in told["sponsors"]]
    return document_of("karvan-plan", found.scenario_id, corridor, {**told, "called": _called(corridor, used)}, version=version)


_NAMED = (
    ("route_families", "family_id"), ("operators", "operator_id"), ("funds", "fund_id"), ("fund_partners", "partner_id"),
)  # fmt: skip


def _called(corridor: Corridor, used: Iterable[str | None]) -> dict[str, str]:
    """Names by id."""
    wanted = set(used)
    found = {name: item.title for name, item in measures_of(corridor).items() if name in wanted}
    for table, key in _NAMED:
        found |= {name: text for name, text in corridor.tables[table].select(key, "name").iter_rows() if name in wanted}
    return found

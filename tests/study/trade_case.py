"""Two economies that trade grain, for the small corridor."""

from __future__ import annotations

from pathlib import Path

_HEAD = {
    "economies": "region_id,year,gdp_musd",
    "trade": "exporter,importer,year,value_musd",
    "trade_goods": "exporter,importer,commodity_group,year,value_musd,weight_kt,note",
    "trade_elasticities": "commodity_group,elasticity_ratio",
}
_ROWS = {
    "economies": ["east,2024,20000", "west,2024,40000"],
    "trade": ["east,west,2023,2900", "east,west,2019,1", "west,east,2024,1500"],
    "trade_goods": ["east,west,grain,2024,2500,10000,"],
    "trade_elasticities": ["any,5"],
}


def add_trade(folder: Path) -> None:
    """Let the markets of two-ports answer to cost, and two economies trade grain.

    Args:
        folder: Folder of the corridor.
    """
    for name, head in _HEAD.items():
        lines = [f"{head},source,confidence", *(f"{row},teaching,estimate" for row in _ROWS[name])]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    goods = folder / "commodities.csv"
    goods.write_text(goods.read_text(encoding="utf-8").replace(",0,0,0,0.05,", ",0,0,1,0.05,"), encoding="utf-8")
    costs = "market_id,origin_node,destination_node,base_cost_usd_per_t,source,confidence\n"
    costs += "grain_east_west,east_port,west_port,100,teaching,estimate\n"
    (folder / "base_costs.csv").write_text(costs, encoding="utf-8")

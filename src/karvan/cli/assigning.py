"""`karvan assign`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `karvan assign`."""
    parser.add_argument("network", type=Path, metavar="NET", help="a TNTP file, a GMNS folder, or a table of links (.csv, .parquet)")
    parser.add_argument("trips", type=Path, metavar="TRIPS", help="a TNTP file, an OMX file, or a table of trips (.csv, .parquet)")
    parser.add_argument("--method", choices=("ue", "so"), default="ue", help="user equilibrium or system optimum (default: %(default)s)")
    parser.add_argument("--gap", type=float, default=1e-6, metavar="G", help="relative gap to reach (default: %(default)g)")
    parser.add_argument("--threads", type=int, metavar="N", help="threads; the digits do not depend on it (default: all processors)")
    parser.add_argument("--iterations", type=int, default=200, metavar="N", help="most searches for shortest paths (default: %(default)s)")
    parser.add_argument("--toll-factor", type=float, metavar="X", help="time that a unit of toll is worth (default: as the file says)")
    parser.add_argument(
        "--distance-factor", type=float, metavar="X", help="time that a unit of length is worth (default: as the file says)"
    )
    parser.add_argument("--matrix", metavar="NAME", help="matrix of an OMX file that holds several")
    parser.add_argument("--flows", type=Path, metavar="FILE", help="write from, to, flow and cost of each link to this .csv or .parquet")


def assign(parsed: argparse.Namespace) -> int:
    """Assign trips and tell how it went."""
    from karvan.report.assigned import assigned_lines
    from karvan.study.assign import METHODS
    from karvan.study.assign import assign as assign_files

    found = assign_files(
        parsed.network,
        parsed.trips,
        method=parsed.method,
        gap=parsed.gap,
        threads=parsed.threads,
        max_iterations=parsed.iterations,
        toll_factor=parsed.toll_factor,
        distance_factor=parsed.distance_factor,
        matrix=parsed.matrix,
        flows=parsed.flows,
    )
    told = found.as_dict()
    if parsed.json:
        print(json.dumps(told, allow_nan=False))
        return 0
    answer = found.equilibrium
    lines = assigned_lines(
        told,
        title=METHODS[found.method],
        links=answer.problem.link_count,
        zones=answer.problem.network.zone_count,
        trips=float(answer.pairs["trips"].sum()),
        iterations=len(answer.iterations),
    )
    print("\n".join([*lines, *([] if parsed.flows is None else [f"  Flows               {parsed.flows}"])]))
    return 0

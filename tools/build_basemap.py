"""Build the basemap of the screen from world-atlas, which holds Natural Earth 1:50m, public domain.

A maintainer runs it; its output is committed. It needs shapely 2 and the package world-atlas:

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python tools/build_basemap.py package/countries-50m.json src/karvan/report/basemap.json
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box, mapping, shape
from shapely.ops import unary_union

Ring = list[tuple[float, float]]

_BOX = (-25.0, -2.0, 160.0, 75.0)
_WATER = {
    "Caspian, north": (50.5, 45.0), "Caspian, south": (51.0, 39.0), "Kara-Bogaz": (53.6, 41.3), "Azov": (36.8, 46.0),
    "Marmara": (28.2, 40.7), "Black Sea": (34.0, 43.2), "Red Sea": (38.0, 20.0),
}  # fmt: skip
_LAND = {
    "Baku": (49.7, 40.4, "Azerbaijan"), "Aktau": (51.4, 43.65, "Kazakhstan"), "Tbilisi": (44.8, 41.7, "Georgia"),
    "Khorgos": (80.3, 44.2, "Kazakhstan"), "Simferopol": (34.1, 44.95, "Ukraine"), "Sukhumi": (41.1, 43.05, "Georgia"),
    "Tskhinvali": (43.97, 42.23, "Georgia"), "Khankendi": (46.75, 39.82, "Azerbaijan"), "Nakhchivan": (45.4, 39.2, "Azerbaijan"),
}  # fmt: skip
_CRIMEA = box(32.3, 44.2, 36.65, 46.22)
_KERCH_EAST = box(36.5, 44.9, 37.0, 45.6)  # Taman, which stays where it is


def main(arguments: Sequence[str] | None = None) -> None:
    """Read TopoJSON, simplify its arcs, clip, check, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("topology", type=Path, help="countries-50m.json of world-atlas")
    parser.add_argument("out", type=Path, help="GeoJSON to write")
    parser.add_argument("--bbox", type=float, nargs=4, default=_BOX, metavar=("WEST", "SOUTH", "EAST", "NORTH"))
    parser.add_argument("--tol", type=float, default=0.05, help="tolerance of the simplification, degrees (default: %(default)s)")
    parser.add_argument("--digits", type=int, default=2, help="decimals of a degree kept (default: %(default)s)")
    given = parser.parse_args(arguments)
    topology = json.loads(given.topology.read_text(encoding="utf-8"))
    countries = _countries(topology, tolerance=given.tol)
    countries = _with_crimea_in_ukraine(countries)
    _check(countries)
    frame = box(*given.bbox)
    features = []
    for name, area in sorted(countries.items()):
        cut = _polygons(area.intersection(frame))
        if not cut.is_empty:
            features.append({"type": "Feature", "properties": {"name": name}, "geometry": _written(cut, given.digits)})
    content = {
        "type": "FeatureCollection",
        "source": "Natural Earth 1:50m, public domain, by world-atlas 2.0.2; changed as docs/reference/basemap.md says",
        "features": features,
    }
    given.out.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8", newline="\n")
    print(f"{given.out}: {len(features)} countries, {given.out.stat().st_size / 1e3:.0f} kB")


def _countries(topology: dict[str, Any], *, tolerance: float) -> dict[str, MultiPolygon]:
    """Country areas whose shared borders were simplified once, so that neighbours never gap."""
    scale, shift = np.array(topology["transform"]["scale"]), np.array(topology["transform"]["translate"])
    arcs = []
    for arc in topology["arcs"]:
        points = np.cumsum(np.array(arc), axis=0) * scale + shift
        line = LineString(points)
        is_ring = bool(np.all(points[0] == points[-1]))
        simple = line.simplify(tolerance, preserve_topology=True)
        kept = np.array(simple.coords)
        arcs.append(points if is_ring and kept.shape[0] < 4 else kept)
    found: dict[str, list[Polygon]] = {}
    for geometry in topology["objects"]["countries"]["geometries"]:
        parts = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
        for part in parts:
            rings = [_ring(arcs, indices) for indices in part]
            if len(rings[0]) >= 4:
                area = shapely.make_valid(Polygon(rings[0], [ring for ring in rings[1:] if len(ring) >= 4]))
                found.setdefault(geometry["properties"]["name"], []).append(area)
    return {name: _polygons(unary_union(parts)) for name, parts in found.items()}


def _ring(arcs: Sequence[Any], indices: Sequence[int]) -> Ring:
    points: Ring = []
    for index in indices:
        part = arcs[index] if index >= 0 else arcs[~index][::-1]
        points += [tuple(point) for point in (part if not points else part[1:])]
    return points


def _polygons(area: Any) -> MultiPolygon:
    parts = [area] if isinstance(area, Polygon) else [part for part in getattr(area, "geoms", []) if isinstance(part, Polygon)]
    return MultiPolygon([part for part in parts if part.area > 0.0])


def _with_crimea_in_ukraine(countries: dict[str, MultiPolygon]) -> dict[str, MultiPolygon]:
    """Crimea in Ukraine: resolution 68/262 of the General Assembly of the United Nations."""
    moved = _polygons(countries["Russia"].intersection(_CRIMEA.difference(_KERCH_EAST)))
    changed = dict(countries)
    changed["Russia"] = _polygons(countries["Russia"].difference(moved))
    changed["Ukraine"] = _polygons(unary_union([countries["Ukraine"], moved.buffer(1e-6)]))
    return changed


def _check(countries: dict[str, MultiPolygon]) -> None:
    """Stop unless seas are water and places lie in their countries."""
    wrong = [name for name, point in _WATER.items() if any(area.contains(Point(point)) for area in countries.values())]
    wrong += [name for name, (lon, lat, owner) in _LAND.items() if not countries[owner].contains(Point(lon, lat))]
    if wrong:
        raise SystemExit(f"the basemap is wrong at: {', '.join(wrong)}")


def _written(area: MultiPolygon, digits: int) -> dict[str, Any]:
    rounded = shapely.set_precision(area, 10.0**-digits)
    whole = _polygons(rounded if not rounded.is_empty else area)
    content = mapping(MultiPolygon([shapely.geometry.polygon.orient(part, -1.0) for part in whole.geoms]))
    content["coordinates"] = [
        [[[round(x, digits), round(y, digits)] for x, y in ring] for ring in part] for part in content["coordinates"]
    ]  # fmt: skip
    assert shape(content).is_valid
    return content


if __name__ == "__main__":
    main()

"""A corridor folder to a Corridor, and a new folder to start from."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import MappingProxyType

import polars as pl

from karvan.corridor.corridor import Corridor
from karvan.corridor.manifest import MANIFEST, Manifest, read_manifest
from karvan.corridor.reading import Cell, read_table, read_text
from karvan.corridor.tables import OPTIONAL_TABLES, TABLES, empty_table, header_of, nearest
from karvan.corridor.whole import table_problems
from karvan.errors import DataError, Problem

STARTER = "two-ports"
"""Packaged corridor that `new_corridor` copies."""

_RECORD_FOLDERS = ("measures", "scenarios")
_WHOLE = "corridor"


@dataclass(frozen=True)
class Folder:
    """What stands in a folder of tables and records, complete or not."""

    tables: Mapping[str, pl.DataFrame]
    records: Mapping[str, Mapping[str, str]]
    defaults: tuple[Cell, ...]
    problems: tuple[Problem, ...]


def load_corridor(name_or_folder: str | Path) -> Corridor:
    """Read and check a corridor.

    Args:
        name_or_folder: Name of a packaged corridor, or a folder.

    Raises:
        DataError: With every problem of the folder.
    """
    corridor, problems = _read_corridor(name_or_folder)
    if corridor is None or problems:
        raise DataError(problems)
    return corridor


def check_corridor(name_or_folder: str | Path) -> list[Problem]:
    """Every problem of a corridor's manifest and tables; empty if it loads. Measures and scenarios are looked at by `karvan.measures`."""
    return _read_corridor(name_or_folder)[1]


def packaged_corridors() -> list[str]:
    """Names of the corridors that come with Karvan."""
    return sorted(folder.name for folder in _datasets().iterdir() if (folder / MANIFEST).is_file())


def corridor_folder(name_or_folder: str | Path) -> Path:
    """Folder of a corridor.

    Args:
        name_or_folder: Name of a packaged corridor, or a folder. A packaged name wins; write ./NAME for a folder of that name.

    Raises:
        DataError: There is neither.
    """
    if isinstance(name_or_folder, str) and name_or_folder in packaged_corridors():
        return _datasets() / name_or_folder
    folder = Path(name_or_folder)
    if folder.is_dir():
        return folder
    packaged = packaged_corridors()
    hint = nearest(str(name_or_folder), packaged) or f"; packaged are {', '.join(packaged)}"
    raise DataError(Problem(_WHOLE, None, None, f"{name_or_folder} is neither a folder nor a packaged corridor{hint}"))


def new_corridor(folder: str | Path) -> Path:
    """Make a folder with the small two-ports corridor, to start a case from.

    Args:
        folder: Where; must not exist or be empty.

    Returns:
        The folder.

    Raises:
        DataError: It exists and is not an empty folder.
    """
    target = Path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DataError(Problem(_WHOLE, None, None, f"{target} exists and is not an empty folder; choose another name"))
    parent = target.absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".karvan-new-", dir=parent))
    try:
        copy = temporary / "corridor"
        shutil.copytree(corridor_folder(STARTER), copy, copy_function=shutil.copyfile)
        if target.exists():
            target.rmdir()
        copy.replace(target)
    finally:
        shutil.rmtree(temporary)
    return target


def _datasets() -> Path:
    return Path(str(resources.files("karvan"))) / "datasets"


def _read_corridor(name_or_folder: str | Path) -> tuple[Corridor | None, list[Problem]]:
    try:
        place = corridor_folder(name_or_folder)
    except DataError as error:
        return None, list(error.problems)
    manifest, problems = _read_manifest(place)
    folder = read_folder(place, is_whole=True)
    problems.extend(folder.problems)
    problems.extend(table_problems(folder.tables, folder.records["measures"]))
    if manifest is not None:
        problems.extend(_named_in_manifest(manifest, folder))
    if manifest is None or problems:
        return None, problems
    return make_corridor(manifest, folder.tables, folder.records, folder.defaults), []


def make_corridor(
    manifest: Manifest, tables: Mapping[str, pl.DataFrame], records: Mapping[str, Mapping[str, str]], defaults: tuple[Cell, ...]
) -> Corridor:
    """Freeze checked parts into a Corridor."""
    columns = ("table", "row", "column", "value")
    return Corridor(
        manifest=manifest,
        tables=MappingProxyType({name: tables[name] for name in TABLES}),
        measures_text=MappingProxyType(dict(records["measures"])),
        scenarios_text=MappingProxyType(dict(records["scenarios"])),
        defaults_filled=pl.DataFrame(list(defaults), schema=dict.fromkeys(columns, pl.String), orient="row"),
    )


def _read_manifest(place: Path) -> tuple[Manifest | None, list[Problem]]:
    path = place / MANIFEST
    if not path.is_file():
        return None, [Problem(MANIFEST, None, None, f"{MANIFEST} is missing and must be there; `karvan new` writes one to start from")]
    text, problems = read_text(path, MANIFEST)
    return read_manifest(text) if text is not None else (None, problems)


def read_folder(place: Path, *, is_whole: bool) -> Folder:
    """Read every table and record of a folder.

    Args:
        place: The folder.
        is_whole: True for a corridor, whose required tables must be there; False for an overlay, which may hold any part.
    """
    tables: dict[str, pl.DataFrame] = {}
    defaults: list[Cell] = []
    problems: list[Problem] = []
    for table in TABLES:
        path = place / f"{table}.csv"
        if path.is_file():
            read = read_table(path, table)
            problems.extend(read.problems)
            defaults.extend(read.defaults)
            if read.frame is not None:
                tables[table] = read.frame
        elif is_whole and table in OPTIONAL_TABLES:
            tables[table] = empty_table(table)
        elif is_whole:
            columns = ",".join(header_of(table))
            problems.append(Problem(table, None, None, f"{table}.csv is missing and must be there with the columns {columns}"))
    records = {kind: _read_records(place / kind, kind, problems) for kind in _RECORD_FOLDERS}
    problems.extend(_strangers(place, is_whole=is_whole))
    return Folder(tables, records, tuple(defaults), tuple(problems))


def _read_records(place: Path, kind: str, problems: list[Problem]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for path in sorted(place.iterdir()) if place.is_dir() else []:
        if path.name.startswith(".") or path.suffix == ".md":
            continue
        if path.suffix != ".yaml":
            problems.append(Problem(kind, None, None, f"unknown file {path.name} in {kind}; each must be named ID.yaml"))
            continue
        text, found = read_text(path, kind)
        problems.extend(found)
        if text is not None:
            texts[path.stem] = text
    return texts


def _strangers(place: Path, *, is_whole: bool) -> list[Problem]:
    """Files that no table or record explains, which are nearly always misspelt."""
    known = [*(f"{table}.csv" for table in TABLES), *_RECORD_FOLDERS, *([MANIFEST] if is_whole else [])]
    problems = []
    for path in sorted(place.iterdir()):
        is_text = path.suffix == ".md" or path.name.startswith(("README", "."))
        if path.name not in known and not is_text:
            hint = nearest(path.name, known) or "; the files of a corridor are named for their tables"
            problems.append(Problem(_WHOLE, None, None, f"unknown file {path.name}{hint}"))
    return problems


def _named_in_manifest(manifest: Manifest, folder: Folder) -> list[Problem]:
    problems = []
    for key in ("history", "baseline", "headline_scenario"):
        value = getattr(manifest, key)
        if value not in folder.records["scenarios"]:
            hint = nearest(value, folder.records["scenarios"])
            problems.append(Problem(MANIFEST, None, key, f"{key} is {value}, must be a file of scenarios: scenarios/{value}.yaml{hint}"))
    cordon = manifest.headline_cordon
    if "cordons" in folder.tables and cordon not in folder.tables["cordons"]["cordon_id"]:
        hint = nearest(cordon, folder.tables["cordons"]["cordon_id"].drop_nulls())
        problems.append(Problem(MANIFEST, None, "headline_cordon", f"headline_cordon is {cordon}, must stand in cordons.csv{hint}"))
    return problems

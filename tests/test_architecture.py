"""The shape of the project: what may import what, what may be named where, what must be documented."""

from __future__ import annotations

import ast
import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

from karvan.cli.main import main

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "karvan"
MODULES = sorted(path for path in SOURCE.rglob("*.py") if "datasets" not in path.parts)
KERNELS = [path for path in MODULES if path.name.endswith("_kernels.py")]
SHORTEST_NAME = 5
PUBLISHED = ("4484", "4.484", "56500", "56.5", "1460")
"""Totals that the packaged case is held against; code may not know them."""


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def imported_by(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            modules.add(node.module or "")
    return modules


def place_words() -> set[str]:
    with (SOURCE / "datasets" / "middle-corridor" / "places.csv").open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    words = {row["place_id"] for row in rows} | {row["name"].lower() for row in rows}
    return {word for word in words if len(word) >= SHORTEST_NAME}


def commands() -> list[str]:
    shown = subprocess.run(
        [sys.executable, "-c", "from karvan.cli.main import main; main(['--help'])"], capture_output=True, encoding="utf-8", check=True
    ).stdout
    return re.findall(r"^    ([a-z][a-z-]*)\s", shown, flags=re.MULTILINE)


def test_there_are_kernels() -> None:
    assert KERNELS


@pytest.mark.parametrize("path", KERNELS, ids=name_of)
def test_kernels_import_only_numpy_numba_math_typing_and_kernels_beside_them(path: Path) -> None:
    beside = {name for name in imported_by(path) if re.fullmatch(rf"karvan\.{path.parent.name}\._[a-z_]*kernels", name)}
    assert imported_by(path) - beside <= {"__future__", "numpy", "numba", "math", "typing"}


def test_no_place_is_named_outside_datasets() -> None:
    pattern = re.compile(rf"\b({'|'.join(re.escape(word) for word in sorted(place_words()))})\b")
    found = [f"{name_of(path)}: {match}" for path in MODULES for match in pattern.findall(path.read_text(encoding="utf-8").lower())]
    assert found == []


def test_no_published_total_is_written_in_code() -> None:
    pattern = re.compile(rf"(?<![\d.])({'|'.join(re.escape(total) for total in PUBLISHED)})(?![\d])")
    found = []
    for path in MODULES:
        text = path.read_text(encoding="utf-8").replace("_", "").replace(",", "")
        found += [f"{name_of(path)}: {match}" for match in pattern.findall(text)]
    assert found == []


def test_import_karvan_is_light() -> None:
    heavy = "'numba', 'scipy', 'highspy', 'fastapi', 'polars', 'dataframely', 'pydantic', 'numpy'"
    program = f"import sys, karvan; print([name for name in ({heavy}) if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True).stdout.strip() == "[]"


def test_every_public_name_can_be_had() -> None:
    import karvan

    assert [name for name in karvan.__all__ if not hasattr(karvan, name)] == []
    with pytest.raises(AttributeError, match="no attribute 'optimise'"):
        karvan.__getattr__("optimise")


@pytest.mark.parametrize("command", commands())
def test_every_command_is_documented_and_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    assert f"## {command}\n" in page
    with pytest.raises(SystemExit) as left:
        main([command, "--help"])
    assert left.value.code == 0
    assert f"Example: karvan {command}" in " ".join(capsys.readouterr().out.split())


def test_every_package_says_what_goes_in_and_out() -> None:
    packages = [path for path in MODULES if path.name == "__init__.py" and path.parent not in (SOURCE, SOURCE / "cli")]
    docstrings = {name_of(path): ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "" for path in packages}
    assert [name for name, text in docstrings.items() if "Goes in" not in text] == []


def test_library_never_prints() -> None:
    found = []
    for path in MODULES:
        if "cli" not in path.parts:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
            found += [name_of(path) for call in calls if isinstance(call, ast.Name) and call.id == "print"]
    assert found == []


def test_every_text_file_is_written_for_every_system() -> None:
    """A write names its encoding and its line ends, or Windows makes other files of it."""
    found = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "write_text":
                given = {keyword.arg for keyword in node.keywords}
                if not {"encoding", "newline"} <= given:
                    found.append(f"{name_of(path)}:{node.lineno}")
    assert found == []

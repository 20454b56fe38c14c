"""Build the wheel, install it in a clean place, and run the small corridor from there; then again with the oldest allowed dependencies.

Needs access to a package index. `make release-check` runs it after all other checks.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATASETS = ROOT / "src" / "karvan" / "datasets"


def build(folder: Path) -> Path:
    """Build the wheel and check that every file of the datasets is in it."""
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)], check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    wanted = {
        f"karvan/datasets/{path.relative_to(DATASETS).as_posix()}" for path in DATASETS.rglob("*.*") if "__pycache__" not in path.parts
    }
    missing = sorted(
        (
            wanted
            | {"karvan/py.typed", "karvan/report/static/report.js", "karvan/report/static/report.css", "karvan/report/static/LICENCES.txt"}
        )
        - names
    )
    if missing:
        raise SystemExit(f"not in the wheel: {', '.join(missing)}")
    return wheel


def try_in(folder: Path, wheel: Path, *pins: str) -> None:
    """Install the wheel, with some packages pinned, and use it."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel), *pins], check=True)
    program = [str(python), "-W", "error", "-c", "from karvan.cli.main import main; raise SystemExit(main())"]
    for command in (["check", "two-ports"], ["check", "middle-corridor"], ["run", "--corridor", "two-ports"]):
        subprocess.run([*program, *command], cwd=folder, check=True)


def oldest() -> list[str]:
    """The lower bounds of the dependencies as exact pins; a bare >=2.0 allows any 2.0.x."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [f"{name}=={bound}.*" for name, bound in (requirement.split(">=") for requirement in project["dependencies"])]


def main() -> int:
    """Newest dependencies, then oldest."""
    with tempfile.TemporaryDirectory() as scratch:
        wheel = build(Path(scratch))
        try_in(Path(scratch) / "newest", wheel)
        try_in(Path(scratch) / "oldest", wheel, *oldest())
    print("the wheel works with the newest and the oldest dependencies")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Fixtures that several packages' tests share."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

from karvan.corridor import Corridor, load_corridor, new_corridor
from karvan.results import Queues, SavedRun, load_run
from karvan.simulation import ExperimentOptions
from karvan.study import run, simulate

if "PYTEST_XDIST_WORKER" not in os.environ:  # workers share the folder of the session; none reads what another session has left behind
    os.environ["KARVAN_CACHE"] = tempfile.mkdtemp(prefix="karvan-tests-")
    atexit.register(shutil.rmtree, os.environ["KARVAN_CACHE"], ignore_errors=True)

settings.register_profile("karvan", deadline=None, derandomize=True)
settings.load_profile("karvan")


FIRST = (
    "power/test_storms.py",
    "broken/test_broken.py",
    "assignment/test_together.py",
    "corridor/test_load.py",
    "cli/test_main.py",
    "assignment/test_equilibrium.py",
    "ui/test_russian.py",
    "web/test_lifecycle.py",
    "ensembles/test_engine.py",
    "ui/test_futures_room.py",
)
"""Files that two processes start with. The first six compile kernels, or need none while the other process compiles: what one has compiled
the other finds on disk, and two that compile the same at once do it twice. The rest are few tests that take long; at the end each would
keep one process at work after the other has nothing left."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """FIRST, then files by their number of tests, so that small ones fill the end."""
    rank = {Path(__file__).parent / name: place for place, name in enumerate(FIRST)}
    if gone := [str(path) for path in rank if not path.is_file()]:
        raise pytest.UsageError(f"FIRST names files that are not there: {gone}")
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: (rank.get(item.path, len(rank)), -tests[item.path]))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the headline numbers of this run to tests/golden")


@pytest.fixture(scope="session")
def two_ports() -> Corridor:
    return load_corridor("two-ports")


@pytest.fixture
def two_ports_folder(tmp_path: Path) -> Path:
    """A copy of two-ports that a test may spoil."""
    return new_corridor(tmp_path / "corridor")


@pytest.fixture(scope="session")
def small_run(two_ports: Corridor, tmp_path_factory: pytest.TempPathFactory) -> SavedRun:
    """A saved run of two-ports."""
    folder = tmp_path_factory.mktemp("small") / "run"
    run(two_ports, years=(2024, 2025, 2026), out=folder)
    return load_run(folder)


@pytest.fixture(scope="session")
def month_of_two_ports(two_ports: Corridor) -> Queues:
    """A simulation of the strait of two-ports with its stormiest month hour by hour."""
    how = ExperimentOptions(seed=4, half_width_share=0.5, least=20, most=20)
    return simulate(two_ports, "strait", loads={"east_trains": 2e6}, how=how, has_curves=False, month="stormiest")


@pytest.fixture(scope="session")
def real_run() -> SavedRun:
    """A saved run of two years of the packaged case; the process that asks first makes it for all."""
    shared = Path(os.environ["KARVAN_CACHE"]) / "real"
    if not shared.exists():
        own = Path(tempfile.mkdtemp(dir=shared.parent))
        run(load_corridor("middle-corridor"), years=(2024, 2028), out=own / "run")
        with contextlib.suppress(OSError):  # another was quicker
            own.rename(shared)
    return load_run(shared / "run")

"""Fixtures that several packages' tests share."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from karvan.corridor import Corridor, load_corridor, new_corridor
from karvan.results import Queues, SavedRun, load_run
from karvan.simulation import ExperimentOptions
from karvan.study import run, simulate

if "PYTEST_XDIST_WORKER" not in os.environ:  # workers share the folder of the session; none reads what another session has left behind
    os.environ["KARVAN_CACHE"] = tempfile.mkdtemp(prefix="karvan-tests-")

settings.register_profile("karvan", deadline=None, derandomize=True)
settings.load_profile("karvan")


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
def real_run(tmp_path_factory: pytest.TempPathFactory) -> SavedRun:
    """A saved run of two years of the packaged case."""
    folder = tmp_path_factory.mktemp("real") / "run"
    run(load_corridor("middle-corridor"), years=(2024, 2028), out=folder)
    return load_run(folder)

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import cloudpickle
import polars as pl
import pytest

from karvan.ensembles.engine import Pace, client_of, work_off
from karvan.errors import DataError
from tests.ensembles import toy
from tests.ensembles.toy import FAILS, Toy, expected, kept, store_in

cloudpickle.register_pickle_by_value(toy)  # workers do not know the tests
COUNT = 160


@pytest.fixture(scope="module")
def two_workers():
    with client_of(None, 2) as client:
        yield client


def _workers_of_this_process():
    """Processes of workers: children of the nannies, which live here."""
    children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    pids = [pid for path in children for pid in path.read_text().split()]
    return [int(pid) for pid in pids if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_every_future_is_kept_once_and_a_failed_one_is_a_row_with_its_reason(two_workers, tmp_path):
    store = store_in(tmp_path / "ensemble")
    paces: list[Pace] = []
    work_off(Toy(), range(COUNT), store, two_workers, total=COUNT, told=lambda pace: bool(paces.append(pace)))
    assert kept(store, COUNT) == expected(COUNT)
    failed = store.column(["status"], first=COUNT, where=pl.col("status") != "ok")
    assert failed.rows() == [(FAILS, "a", "did not converge")]
    assert paces[-1].finished == COUNT


def test_the_same_digits_after_three_kills_in_one_run(two_workers, tmp_path):
    store, chance, killed = store_in(tmp_path / "ensemble"), random.Random(5), []

    def kill() -> None:
        for _ in range(3):
            time.sleep(0.5)
            pid = chance.choice(_workers_of_this_process())
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)

    killer = threading.Thread(target=kill)
    killer.start()
    work_off(Toy(0.03), range(COUNT), store, two_workers, total=COUNT)
    killer.join()
    assert len(killed) == 3
    assert kept(store, COUNT) == expected(COUNT)


def test_four_workers_give_the_digits_of_two_and_of_none(tmp_path):
    with client_of(None, 4) as client:
        four = store_in(tmp_path / "four")
        work_off(Toy(), range(COUNT), four, client, total=COUNT)
    assert kept(four, COUNT) == expected(COUNT)


def test_a_killed_client_and_its_scheduler_lose_no_finished_future_and_repeat_none(two_workers, tmp_path):
    folder = tmp_path / "ensemble"
    store = store_in(folder)
    script = Path(__file__).with_name("toy.py")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen([sys.executable, str(script), str(folder)], env=environment, start_new_session=True)
    until = time.monotonic() + 60
    while not store.finished() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = store.finished()
    assert 0 < len(before) < 400
    again = store_in(folder)
    wanted = [index for index in range(400) if index not in before]
    work_off(Toy(), wanted, again, two_workers, total=400)
    assert kept(again, 400) == expected(400)


def test_no_scheduler_at_the_address_is_said():
    with pytest.raises(DataError, match="nobody answers at"), client_of("tcp://127.0.0.1:9", 1):
        pass

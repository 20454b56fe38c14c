"""The verb through a cluster: stopped by hand, gone on with, ended when enough is known."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import polars as pl
import pytest

import karvan as kv
from karvan.ensembles.answers import distributions
from karvan.ensembles.definition import columns_of_futures
from karvan.ensembles.engine import client_of
from karvan.ensembles.futures import Futures
from karvan.ensembles.run import EnsembleOptions, Sample, ensemble_of
from karvan.ensembles.store import FutureStore

YEARS = (2026,)
UNTIL = "p50(corridor_mt[2026]) within 50%"


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals come to the main thread")
def test_ctrl_c_gives_what_is_there_and_the_same_command_goes_on_until_enough_is_known(two_ports, tmp_path):
    out, told = tmp_path / "ensemble", list[str]()

    def interrupting(line: str) -> None:
        told.append(line)
        if len(told) == 1:
            os.kill(os.getpid(), signal.SIGINT)

    with client_of(None, 1) as client:
        how = EnsembleOptions(futures=100_000, scheduler=client.scheduler.address)
        first = kv.ensemble(two_ports, years=YEARS, how=how, out=out, progress=interrupting)
        assert first.stopped == "interrupted"
        assert first.futures < 100_000
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        kept = first.futures
        how = EnsembleOptions(futures=100_000, scheduler=client.scheduler.address, until=UNTIL)
        found = kv.ensemble(two_ports, years=YEARS, how=how, out=out)
    assert (found.stopped, found.wanted) == ("enough", 100_000)
    assert found.futures >= 64
    assert found.folder == first.folder == out
    made = ensemble_of(two_ports, years=YEARS, how=how)
    store = FutureStore(out, columns_of_futures(made))
    assert len(store.finished()) >= max(kept, found.futures)
    here = Futures(made)
    for index in (0, found.futures - 1):
        row = store.column(["corridor_mt_2026"], first=made.count, where=pl.col("future") == index)
        assert row["corridor_mt_2026"].to_list() == [here.outcomes(index)[0]["corridor_mt_2026"]]
    assert distributions(Sample(made, store, found.futures)).equals(found.distributions)


_ASKS = """
import resource, sys
from pathlib import Path
from types import SimpleNamespace
import polars as pl
from karvan.ensembles.answers import Sample, distributions
from karvan.ensembles.definition import HEADLINES
from karvan.ensembles.store import FutureStore

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

columns = {"future": pl.Int64(), "plan": pl.String(), "status": pl.String()}
columns |= {f"{name}_2030": pl.Float64() for name in HEADLINES} | {"links_kt_2030": pl.List(pl.Float64())}
store = FutureStore(Path(sys.argv[1]), columns)
ensemble = SimpleNamespace(plans=("a",), years=(2030,))
distributions(Sample(ensemble, store, 64))
before = peak_mb()
found = distributions(Sample(ensemble, store, int(sys.argv[2])))
assert found.height == len(HEADLINES)
print(peak_mb() - before)
"""


def test_answers_take_no_more_memory_than_a_column_of_futures(tmp_path):
    """200,000 futures with 60 links each, 100 MB as numbers; answers are read a column at a time."""
    import numpy as np

    from karvan.ensembles.definition import HEADLINES

    count, parts, links = 200_000, 8, 60
    folder = tmp_path / "ensemble" / "parts"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    for part in range(parts):
        size = count // parts
        frame = pl.DataFrame({"future": np.arange(part * size, (part + 1) * size)}).with_columns(plan=pl.lit("a"), status=pl.lit("ok"))
        flows = pl.Series("links_kt_2030", rng.random((size, links))).arr.to_list()
        frame = frame.with_columns(*(pl.Series(f"{name}_2030", rng.random(size)) for name in HEADLINES), flows)
        frame.write_parquet(folder / f"{part:09d}-a.parquet", compression="uncompressed")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src"), "POLARS_MAX_THREADS": "1"}
    command = [sys.executable, "-c", _ASKS, str(folder.parent), str(count)]
    asked = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert asked.returncode == 0, asked.stderr
    assert float(asked.stdout) < 60.0

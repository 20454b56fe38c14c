"""A run in a notebook, without the internet: open it as a notebook where cells are known (`# %%`), or run it as it stands.

In a notebook the last expression of a cell is shown. Here, as a script, what would be shown is written to files.
"""

# %% The case, and a run of it
from pathlib import Path

import karvan as kv

corridor = kv.load_corridor("two-ports")  # "middle-corridor" takes some minutes the first time
run = kv.run(corridor, scenario="agreed", years=(2024, 2025, 2026), out=Path("my-run"), replace=True)
run  # the answer in sentences, and a table of the years

# %% Where it moves: a map with a year slider, in a frame of its own
run.map()

# %% What it carries, what is full, which routes gain and lose
run.plot.outlook()
run.plot.facilities(2026)
run.plot.families()

# %% One year
run.scenario.in_year(2026)

# %% What stops it, each limit lifted once it binds
ladder = run.ladder(to_mt=9.0)
ladder.plot()
ladder.plot("as_is", language="ru")

# %% With and without a measure, side by side
options = kv.ScenarioOptions(without_measures=("bigger_ferry",))
without = kv.run(corridor, scenario="agreed", years=(2024, 2025, 2026), options=options, save=False)
gain_mt = run.scenario.in_year(2026).corridor_mt - without.scenario.in_year(2026).corridor_mt

# %% Charts and map as files
run.plot.outlook().save("outlook.svg")
ladder.plot().save("ladder.svg")
run.map().save("map.html")

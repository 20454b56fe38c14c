"""Many futures: what is not known of a corridor drawn, cleared and told as chances, spreads, drivers and regret.

Goes in: a corridor with ranges and shocks, plans, a design. Comes out: a folder of futures and an `EnsembleAnswer`. Dask stays in
`engine`. May import: study, report and what lies below them.
"""

from karvan.ensembles.run import EnsembleOptions, ensemble

__all__ = ["EnsembleOptions", "ensemble"]

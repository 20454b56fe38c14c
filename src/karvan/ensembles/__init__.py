"""Many futures: what is not known of a corridor drawn, cleared and told as chances, spreads, drivers and regret.

Goes in: a corridor with ranges and shocks, plans, a design. Comes out: a folder of futures and an `EnsembleAnswer`. Dask stays in
`engine`. May import: study, report and what lies below them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from karvan.ensembles.run import EnsembleOptions, ensemble

__all__ = ["EnsembleOptions", "ensemble"]


def __getattr__(name: str) -> Any:
    """Names load on first use, so that a worker loads what its work needs."""
    if name not in __all__:
        raise AttributeError(f"module 'karvan.ensembles' has no attribute '{name}'")
    from karvan.ensembles import run

    return getattr(run, name)

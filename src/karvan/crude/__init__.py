"""Crude oil: what a tonne fetches at home by each route, ships it takes, days a tank lasts, what an interruption costs.

Goes in: plain numbers. Comes out: plain numbers. May import: results, corridor, network, schema, errors.
"""

from karvan.crude.netback import buffer_d, expected_loss_musd, mt_per_year, netback_usd_per_t, tankers_needed

__all__ = ["buffer_d", "expected_loss_musd", "mt_per_year", "netback_usd_per_t", "tankers_needed"]

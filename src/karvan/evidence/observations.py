"""What was measured or published."""

from __future__ import annotations

from karvan.schema import Table, claim, number, text, text_id, whole


class Observations(Table):
    """A published measurement or study result, its scope, and whether calibration used it."""

    observation_id = text_id("The observation.", primary_key=True)
    family = text_id("Kind: volume, throughput, time, rate, indicator, outlook.")
    quantity = text_id("What: cordon_mt, cordon_teu, cordon_crude_mt, facility, time_d, rate_usd, ...")
    element_id = text_id("Cordon, facility or link it is about.", nullable=True)
    year = whole("Year it is about.")
    value = number("Published value, in `unit`.", unit="unit column")
    unit = text("Its unit.")
    low = number("Low end, in `unit`.", unit="unit column", nullable=True)
    high = number("High end, in `unit`.", unit="unit column", nullable=True)
    used_in_calibration = claim("Calibration used it, so it proves nothing.", default=False)
    scope = text("What the figure covers.")

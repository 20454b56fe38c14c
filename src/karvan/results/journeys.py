"""Journeys leg by leg, and what adds up from the legs: totals, profiles over distance, CAREC indicators."""

from __future__ import annotations

import polars as pl

HOURS_PER_DAY = 24.0
HEADINGS_H = ("moving_h", "waiting_h", "border_h", "gauge_h", "port_h")

LEG_SCHEMA: dict[str, type[pl.DataType]] = {
    "journey_id": pl.String,
    "year": pl.Int64,
    "leg": pl.Int64,
    "family_id": pl.String,
    "mode": pl.String,
    "from": pl.String,
    "to": pl.String,
    "operator": pl.String,
    "loading_unit": pl.String,
    "length_km": pl.Float64,
    **dict.fromkeys(HEADINGS_H, pl.Float64),
    "sd_h": pl.Float64,
    "charge_usd_per_t": pl.Float64,
    "cost_usd_per_t": pl.Float64,
    "co2e_kg_per_t": pl.Float64,
    "payload_t_per_teu": pl.Float64,
}
"""Columns of a frame of legs. `mode` is a mode of transport, or border, gauge_change, port, transfer; `charge_usd_per_t` is money paid,
`cost_usd_per_t` adds the value of time and reliability and the price of carbon; `payload_t_per_teu` is empty for loose goods."""

_SHIPMENT_T = 20.0
_STRETCH_KM = 500.0


def journey_totals(legs: pl.DataFrame) -> pl.DataFrame:
    """Totals of each journey and year.

    Args:
        legs: Columns as LEG_SCHEMA.

    Returns:
        journey_id, year, family_id, length_km, time_d, time_sd_d, moving_h, waiting_h, border_h, gauge_h, port_h, charge_usd_per_t,
        charge_usd_per_teu (None for loose goods), cost_usd_per_t, co2e_kg_per_t, swod_kmh, swd_kmh (distance over moving time, and over
        all time).
    """
    hours = pl.sum_horizontal(HEADINGS_H)
    sums = [pl.col(name).sum() for name in ("length_km", *HEADINGS_H, "charge_usd_per_t", "cost_usd_per_t", "co2e_kg_per_t")]
    return (
        legs.group_by("journey_id", "year", maintain_order=True)
        .agg(
            pl.col("family_id").first(),
            *sums,
            time_d=hours.sum() / HOURS_PER_DAY,
            time_sd_d=(pl.col("sd_h") ** 2).sum().sqrt() / HOURS_PER_DAY,
            charge_usd_per_teu=(pl.col("charge_usd_per_t") * pl.col("payload_t_per_teu")).sum(),
            is_boxed=pl.col("payload_t_per_teu").is_not_null().all(),
        )
        .with_columns(
            charge_usd_per_teu=pl.when("is_boxed").then("charge_usd_per_teu"),
            swod_kmh=pl.col("length_km") / pl.col("moving_h"),
            swd_kmh=pl.col("length_km") / (pl.col("time_d") * HOURS_PER_DAY),
        )
        .drop("is_boxed")
        .sort("journey_id", "year")
    )


def journey_profile(legs: pl.DataFrame) -> pl.DataFrame:
    """Distance, days and money from the start of each journey to the end of each leg.

    The time and cost-distance method of UNESCAP: a vertical step is a stop, a slope is movement.

    Args:
        legs: Columns as LEG_SCHEMA, legs in order.

    Returns:
        journey_id, year, leg, place (where the leg ends), mode, distance_km, time_d, charge_usd_per_t.

    Source:
        UNESCAP (2013), Time/Cost-Distance Methodology.
    """
    over = ["journey_id", "year"]
    return legs.select(
        *over,
        "leg",
        place=pl.col("to"),
        mode=pl.col("mode"),
        distance_km=pl.col("length_km").cum_sum().over(over),
        time_d=(pl.sum_horizontal(HEADINGS_H) / HOURS_PER_DAY).cum_sum().over(over),
        charge_usd_per_t=pl.col("charge_usd_per_t").cum_sum().over(over),
    )


def carec_indicators(legs: pl.DataFrame, journeys: pl.DataFrame) -> pl.DataFrame:
    """Trade facilitation indicators of CAREC by mode and year: plain means over the journeys of each mode's sample.

    A crossing is a border post, or several in a row, with the change of gauge beside it.

    Args:
        legs: Columns as LEG_SCHEMA.
        journeys: Table `journeys`.

    Returns:
        carec_mode, year, journey_count, crossing_count, tfi1_border_h (mean hours to clear a crossing), tfi2_border_usd (mean charge at a
        crossing for 20 t), tfi3_usd_per_500km_20t (all charges), tfi4_swod_kmh (speed without delay), tfi4_swd_kmh (with delay).

    Source:
        CAREC Corridor Performance Measurement and Monitoring, annual reports: TFI1 to TFI4.
    """
    sample = legs.join(journeys.select("journey_id", "carec_mode"), on="journey_id", validate="m:1").filter(
        pl.col("carec_mode").is_not_null()
    )
    is_stop = pl.col("mode").is_in(["border", "gauge_change"])
    crossing = (is_stop & ~is_stop.shift(1, fill_value=False)).cum_sum().over("journey_id", "year")
    stops = sample.with_columns(crossing=crossing).filter(is_stop)
    borders = stops.group_by("carec_mode", "year", "journey_id", "crossing", maintain_order=True).agg(
        hours=pl.sum_horizontal(HEADINGS_H).sum(), charge=pl.col("charge_usd_per_t").sum(), is_border=(pl.col("mode") == "border").any()
    )
    borders = (
        borders.filter("is_border")
        .group_by("carec_mode", "year", maintain_order=True)
        .agg(crossing_count=pl.len(), tfi1_border_h=pl.col("hours").mean(), tfi2_border_usd=pl.col("charge").mean() * _SHIPMENT_T)
    )
    totals = journey_totals(legs).join(journeys.select("journey_id", "carec_mode"), on="journey_id", validate="m:1")
    speeds = (
        totals.filter(pl.col("carec_mode").is_not_null())
        .group_by("carec_mode", "year", maintain_order=True)
        .agg(
            journey_count=pl.len(),
            tfi3_usd_per_500km_20t=(pl.col("charge_usd_per_t") / pl.col("length_km")).mean() * _SHIPMENT_T * _STRETCH_KM,
            tfi4_swod_kmh=pl.col("swod_kmh").mean(),
            tfi4_swd_kmh=pl.col("swd_kmh").mean(),
        )
    )
    return speeds.join(borders, on=["carec_mode", "year"], how="left", validate="1:1").sort("carec_mode", "year")

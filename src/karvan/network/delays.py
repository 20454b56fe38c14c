"""Delays that grow as a facility fills."""

from __future__ import annotations

from karvan.schema import Table, number, text, text_id


class DelayCurves(Table):
    """How long a batch - a ship, a train, a truck - waits at a facility as it fills. What has no row here keeps the hours of the case.

    With m servers side by side, each busy s hours with a batch, and the variability v of arrivals and service, the mean wait at a use rho
    of effective capacity is d = (v / m) s rho^k / (1 - rho) with k = sqrt(2 (m + 1)) - 1; above a use of 0.95 its tangent is taken. The
    hours of `terminals` and `links` hold the wait at the reference use already, so goods bear d(rho) - d(reference). A measure that adds
    servers changes them here and the capacity in `facilities`; one that shortens the wait at the same use changes the hours in `terminals`.
    """

    facility_id = text_id("The facility.", primary_key=True, refers_to="facilities.facility_id")
    servers_count = number("Berths, tracks, lanes or ships that work side by side, m; a mean need not be whole.", least=1.0, prorate=True)
    service_time_h = number("Hours that one of them is busy with one batch, s.", above=0.0, prorate=True)
    variability_ratio = number(
        "Mean of the squared coefficients of variation of the times between arrivals and of service, v: 0 by the clock, 1 at random, more "
        "where batches come bunched.",
        least=0.0,
        prorate=True,
    )
    reference_use_share = number("Use of effective capacity, with other load, at which the hours of the case hold.", least=0.0, most=1.0)
    note = text("For readers; no code reads it.", nullable=True)


class RoadCurves(Table):
    """How much longer a road section takes as it fills, other traffic included. What has no row here keeps the hours of the case.

    At a use rho of effective capacity the section takes free_time_h (1 + delay_factor rho^power) hours, the function of the Bureau of
    Public Roads. The hours of `links` hold what it takes at the reference use, so goods bear the difference from there. Capacity and other
    traffic stand in `facilities`, in car equivalents if `facility_uses` says by `weight_factor` how many of them a truck is; a facility
    with a row in `delay_curves`, too, has both delays.
    """

    facility_id = text_id("The road section.", primary_key=True, refers_to="facilities.facility_id")
    free_time_h = number("Hours to drive the section when it is empty.", above=0.0, prorate=True)
    delay_factor = number("Share of the empty time that is added at full use, alpha.", least=0.0, prorate=True, default=0.15)
    power = number("How sharply it rises, beta.", unit="no unit", least=1.0, prorate=True, default=4.0)
    reference_use_share = number("Use of effective capacity, with other load, at which the hours of `links` hold.", least=0.0, most=1.0)
    note = text("For readers; no code reads it.", nullable=True)

"""The ladder on a terminal says in words what its table leaves open."""

from __future__ import annotations

from dataclasses import replace

import pytest

from karvan.report.rungs import ladder_lines
from karvan.results import Ladder, LadderRung

BERTHS = LadderRung(
    rung=1, market_scale=1.0, latent_mt=5.0, realised_mt=4.0, facility_id="berths", facility_name="The berths",
    shadow_price_usd_per_unit=20.0, shadow_price_usd_per_t=20.0, relief_measure_id=None, relief_measure_title=None, relief_cost_musd=None,
    relief_is_operating=False, gain_mt=0.5, gain_musd_per_year=30.0, is_alone_useless=False, next_facility_id=None, is_public=True,
    is_on_corridor=True, gain_queue_musd_per_year=40.0, tied_facility_ids=(), paid_by=(), earned_by="port", rests_on={"note": None},
)  # fmt: skip


def _text(*rungs: LadderRung) -> str:
    ladder = Ladder("baseline", 2024, 10.0, 4.0, 2.0, as_is=rungs, relieved=())
    return " ".join(" ".join(ladder_lines(ladder)).split())


def test_a_rung_has_its_price_gains_and_relief():
    assert "1 The berths 5.00 4.00 20.0 0.50 30 40 none in the case" in _text(BERTHS)


@pytest.mark.parametrize(
    ("rung", "words"),
    [
        (replace(BERTHS, is_alone_useless=True), "Relieving 1 alone gains nothing."),
        (replace(BERTHS, tied_facility_ids=("cranes",)), "1 is in series with cranes"),
        (replace(BERTHS, is_on_corridor=False), "Full too, on rival or connecting routes: The berths."),
        (replace(BERTHS, is_public=False, rests_on={"note": "A guess."}), "1 is full if its capacity is what we take it to be: A guess."),
        (replace(BERTHS, gain_mt=0.0, gain_musd_per_year=1315.0), "Relieving 1 alone moves nothing more over the corridor"),
    ],
)
def test_what_the_table_leaves_open_stands_below_it(rung, words):
    assert words in _text(rung)
    assert words not in _text(BERTHS)

from __future__ import annotations

import datetime

import pytest

from karvan.report.shipping import shipping_lines
from karvan.study import Cargo, ShippingDesk


@pytest.fixture(scope="module")
def desk():
    from karvan.corridor import load_corridor

    return ShippingDesk(load_corridor("middle-corridor"))


@pytest.mark.parametrize(
    ("ends", "goods", "more"),
    [
        (("kostanay", "yerevan"), "wheat", {"depart": datetime.date(2025, 10, 1), "deadline": datetime.date(2025, 10, 9)}),
        (("kostanay", "yerevan"), "wheat", {"depart": datetime.date(2025, 11, 1)}),
        (("kostanay", "yerevan"), "wheat", {"depart": datetime.date(2025, 10, 1), "via": ["r_boyuk_kesik__gardabani"]}),
        (("chongqing", "duisburg"), "containers", {"year": 2027, "max_options": 9}),
        (("tashkent", "istanbul_halkali"), "other", {"year": 2026}),
        (("shanghai", "tbilisi"), "machinery", {"year": 2024}),
    ],
)
def test_an_answer_fits_a_screen(desk, ends, goods, more):
    lines = shipping_lines(desk.answer(*ends, commodity=goods, **more))
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 100
    assert lines[-1].startswith("This is not a quotation")


def test_a_refusal_names_rule_source_and_dates(desk):
    text = " ".join(
        " ".join(shipping_lines(desk.answer("kostanay", "yerevan", commodity="wheat", depart=datetime.date(2025, 10, 1)))).split()
    )
    assert "REFUSED rail by Astrakhan (Olya), Yalama, Boyuk Kesik" in text
    assert " 2 rail by Bolashak, Akyayla to Tabriz; road by Meghri to Yerevan" in text
    assert (
        "Azerbaijan lets no goods pass to or from Armenia. In force until 2025-10-21. [am_transit_lifted_2025, 2025-10-21, sourced]" in text
    )


def test_a_refused_question_says_so_in_its_first_line(desk):
    asked = {"commodity": "wheat", "depart": datetime.date(2025, 10, 1), "via": ["r_boyuk_kesik__gardabani"]}
    assert shipping_lines(desk.answer("kostanay", "yerevan", **asked))[0].endswith("baseline: may not pass")


def test_who_is_paid_and_what_comes_on_top_is_told(desk):
    found = desk.answer(
        "altynkol", "istanbul_halkali", commodity="containers", depart=datetime.date(2026, 3, 1), deadline=datetime.date(2026, 3, 18),
        via=["middle"], cargo=Cargo(tonnes=4000.0), max_options=1,
    )  # fmt: skip
    lines = shipping_lines(found)
    text = " ".join(" ".join(lines).split())
    assert len(lines) <= 40
    assert "Paid to, USD/t: Kazakhstan Temir Zholy" in text
    assert "KZT of 2025-12-02" in text
    assert "On top, expected (and what 1 in 10 shipments exceeds), USD/t: storage" in text
    assert "A rate for the whole way, TITR Association 2018-07-01: 2,301 USD/TEU" in text
    assert "Hours late to be expected:" in text
    assert "ASCO feeders: 224 teu in 4.7 m of water" in text
    assert "2 sailings for this shipment" in text


def test_what_must_be_checked_first_is_told(desk):
    asked = {"commodity": "containers", "depart": datetime.date(2026, 3, 1), "via": ["middle"]}
    lines = shipping_lines(desk.answer("altynkol", "poti", cargo=Cargo(hazard_class="3"), **asked))
    text = " ".join(" ".join(lines).split())
    assert "passes only if the rules below are checked" in text
    assert "CHECK FIRST: Dangerous goods on a container ship need the consent of ship and port under the IMDG Code." in text

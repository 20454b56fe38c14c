from __future__ import annotations

import pytest

from karvan.errors import DataError
from karvan.routing import classify, compile_families
from karvan.routing.families import family_search
from tests.routing.small import link, places, tables

LINKS = ["a__b", "b__c", "c__d", "d__e"]


def _families(*rows):
    made = tables(
        places=places("a", "b", "c", "d", "e"),
        links=[link(*name.split("__")) for name in LINKS],
        route_families=[{"family_id": f"f{order}", "order": order} | row for order, row in enumerate(rows, start=1)],
    )
    return compile_families(made)


def _rows(*names):
    return [LINKS.index(name) for name in names]


FOUR = (
    {"via_any": "a__b;b__c", "commodities": "grain;coal"},
    {"via_all": "c__d; d__e", "not_via": "a__b"},
    {"not_via": "d__e"},
    {},
)


@pytest.mark.parametrize(
    ("links", "commodity", "family"),
    [
        (["a__b"], "grain", "f1"),
        (["c__d", "b__c"], "coal", "f1"),
        (["c__d", "d__e"], "grain", "f2"),
        (["a__b", "c__d", "d__e"], "other", "f4"),
        (["b__c", "c__d", "d__e"], "other", "f2"),
        (["c__d"], "grain", "f3"),
        (["d__e"], "grain", "f4"),
        ([], "grain", "f3"),
    ],
)
def test_the_first_family_that_fits(links, commodity, family):
    assert classify(_families(*FOUR), _rows(*links), commodity) == family


def test_a_route_that_fits_no_family():
    assert classify(_families({"via_any": "a__b"}), _rows("b__c"), "grain") is None


def test_order_counts_and_not_the_row():
    families = _families({"order": 2, "via_any": "a__b"}, {"order": 1, "via_any": "b__c"})
    assert families.family_ids == ("f2", "f1")
    assert classify(families, _rows("a__b", "b__c"), "grain") == "f2"


def test_searches_close_what_earlier_families_take():
    families = _families(
        {"via_any": "a__b"},
        {"via_all": "b__c", "commodities": "coal"},
        {"via_any": "a__b;c__d", "via_all": "d__e"},
        {},
        {"via_any": "d__e"},
    )
    search = family_search(families, 2, "coal")
    assert search.closed.tolist() == [True, True, False, False]
    assert search.link_bits.tolist() == [1, 0, 1, 2]
    assert search.bit_count == 2
    assert search.via_links.tolist() == _rows("c__d")
    assert family_search(families, 2, "grain").closed.tolist() == [True, False, False, False]
    assert family_search(families, 1, "grain") is None
    assert family_search(families, 4, "grain") is None


def test_an_earlier_family_with_several_conditions_closes_nothing():
    families = _families({"via_all": "a__b;b__c"}, {"via_any": "a__b", "not_via": "b__c"}, {"not_via": "d__e"})
    assert family_search(families, 2, "grain").closed.tolist() == [False, False, False, True]


def test_too_many_links_at_once_are_an_error():
    made = tables(
        places=places("hub", *[f"p{number}" for number in range(9)]),
        links=[link("hub", f"p{number}") for number in range(9)],
        route_families=[{"family_id": "f", "order": 1, "via_all": ";".join(f"hub__p{number}" for number in range(9))}],
    )
    with pytest.raises(DataError, match="asks for 9 links at once"):
        compile_families(made)

"""Who stands behind operators when charges are agreed, and the rules by which they charge."""

from __future__ import annotations

from karvan.schema import ANY, LOADING_UNITS, Table, choice, claim, day, number, text, text_id

RULE_BASES = ("per_t", "per_t_km", "per_teu", "per_teu_km", "per_feu", "per_feu_km", "per_wagon_m", "per_truck_m")


class Administrations(Table):
    """Operators that set their charges on the corridor as one party; an operator without a row charges what it costs and plays no part."""

    operator_id = text_id("The operator.", refers_to="operators.operator_id", primary_key=True)
    administration_id = text_id("The party it belongs to.")
    administration = text("Name of the party to show.")
    cost_share = number("Part of its charges that covers what carrying costs; the rest is its margin.", unit="1", least=0.0, most=0.99)
    is_regulated = claim("A regulator sets its charges, so that they are no part of the game; its margin still counts as income.")


class TariffRules(Table):
    """What an operator asks by its own tariff, from day to day. Rules are told beside the charges of `tariffs`, which the market reads.

    The most specific rule in force wins: ends, then goods, then loading unit; of several bands of distance the one that holds the way.
    """

    rule_id = text_id("The rule.", primary_key=True)
    operator_id = text_id("Who charges; of a through tariff, empty.", refers_to="operators.operator_id", nullable=True)
    from_place = text_id("Only from here; empty: from anywhere.", refers_to="places.place_id", nullable=True)
    to_place = text_id("Only to here; empty: to anywhere.", refers_to="places.place_id", nullable=True)
    both_ways = claim("Holds the other way round, too.", default=True)
    is_through = claim("One charge for the whole way, in place of the sum of all charges on it.", default=False)
    commodity_group = text_id("Only these goods, or any.", refers_to="commodities.commodity_group or any")
    loading_unit = choice("Only this loading unit, or any.", (*LOADING_UNITS, ANY))
    from_date = day("First day in force; empty: always.", nullable=True)
    until_date = day("First day no longer in force; empty: no end.", nullable=True)
    from_km = number("Only for ways longer than this.", least=0.0, default=0.0)
    until_km = number("Only for ways up to this length; empty: any.", above=0.0, nullable=True)
    basis = choice("What the rate is for.", RULE_BASES)
    rate = number("The charge in `currency`, by `basis`.", unit="basis column", least=0.0)
    currency = text("Currency of the rate, as in `currencies`, or USD.")
    coefficient_ratio = number("Factor for the class of the goods.", unit="1", above=0.0, default=1.0)
    discount_share = number("Discount.", least=0.0, most=1.0, default=0.0)
    length_m = number("Length of the wagon or truck where the rate is by the metre.", unit="m", above=0.0, nullable=True)
    empty_rate = number(
        "Charge for the empty unit back, on the same basis; empty: none known.", unit="basis column", least=0.0, nullable=True
    )
    minimum = number("Least charge of a unit or tonne, in `currency`.", unit="basis column", least=0.0, default=0.0)
    is_regulated = claim("A regulator sets it, or caps it.", default=False)
    note = text("For readers; no code reads it.", nullable=True)

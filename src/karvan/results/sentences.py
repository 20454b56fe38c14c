"""Sentences about results: whole templates with numbers and names put in, so that each can be translated as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Value = str | float | int

ENGLISH: Mapping[str, str] = {
    "only_way": "{family} is the only way there is; it costs {composite_usd_per_t:,.1f} USD/t, all counted, before anything is scarce.",
    "cheapest_first": (
        "Before anything is scarce, {family} is the cheapest way at {composite_usd_per_t:,.1f} USD/t, all counted; next comes {second} at"
        " {second_usd_per_t:,.1f}."
    ),
    "no_scarcity": "Nothing on the way is full enough to have a price.",
    "scarcity": (
        "Scarcity makes {family} {added_usd_per_t:,.1f} USD/t dearer, by what is paid and by the routes given up. Of its full places"
        " {facility} takes most: {price_usd_per_t:,.1f} USD from a mean tonne."
    ),
    "scarcity_unsure": (
        "Scarcity makes {family} {added_usd_per_t:,.1f} USD/t dearer, by what is paid and by the routes given up. Of its full places"
        " {facility} takes most, {price_usd_per_t:,.1f} USD from a mean tonne; its limit is a guess, so this is a condition, not a finding."
    ),
    "scarcity_pays": (
        "{family} is paid {gained_usd_per_t:,.1f} USD/t by scarcity, because its goods bring back what must return: {balance}."
    ),
    "delay": "Waits that grow as facilities fill change the cost of {family} by {delay_usd_per_t:+,.1f} USD/t.",
    "no_constant": "No constant is fitted for these goods: costs and prices alone decide.",
    "constant_dearer": (
        "The shares of {base_year} show {family} chosen less than costs explain: as if it were {difference_usd_per_t:,.1f} USD/t dearer"
        " beside {reference}. That is its constant; it stands for all that no tariff and no hour tells."
    ),
    "constant_cheaper": (
        "The shares of {base_year} show {family} chosen more than costs explain: as if it were {difference_usd_per_t:,.1f} USD/t cheaper"
        " beside {reference}. That is its constant; it stands for all that no tariff and no hour tells."
    ),
    "arithmetic": (
        "From {origin} to {destination}, with scarcity and constants, {family} ends at {total_usd_per_t:,.1f} USD/t and {second} at"
        " {second_usd_per_t:,.1f}. Choice follows exp(-{theta_per_usd_per_t:g} x cost), so {ratio:,.4g} t go by {family} for each tonne"
        " by {second}."
    ),
    "without_limits": "If nothing were full, {family} would take {free_share:.1%} instead of {share:.1%}.",
    "same_without_limits": "If nothing were full, the shares would be the same.",
    "all_shipped": "All of it is shipped.",
    "kept_home": "{kept_kt:,.1f} kt stay at home, {share:.1%} of what is asked for.",
    "demand_answers": (
        "Delivered cost is {change_usd_per_t:+,.1f} USD/t against {base_usd_per_t:,.1f} in {base_year}. With an elasticity of"
        " {elasticity_ratio:g}, demand is {factor:.3f} times the {base_kt:,.1f} kt that would be asked for at the cost of {base_year}."
    ),
    "demand_fixed": "Demand does not answer to cost here: {base_kt:,.1f} kt must move whatever it costs.",
    "nothing_moves": "The case asks for no tonnes on this market in {year}.",
}
"""Templates by key."""


@dataclass(frozen=True)
class Sentence:
    """A sentence of a result.

    Attributes:
        key: Which template.
        values: What is put in, by name; names of numbers carry their unit.
    """

    key: str
    values: Mapping[str, Value]

    def text(self, templates: Mapping[str, str] = ENGLISH) -> str:
        """The sentence in a language, given its templates."""
        return templates[self.key].format_map(self.values)

    def as_dict(self) -> dict[str, object]:
        return {"key": self.key, "values": dict(self.values), "text": self.text()}

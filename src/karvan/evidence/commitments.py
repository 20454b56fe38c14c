"""What was promised."""

from __future__ import annotations

from karvan.schema import Table, claim, number, text, text_id, whole


class Commitments(Table):
    """A promise with target, unit and year, and the model quantity it is held against."""

    commitment_id = text_id("The promise.", primary_key=True)
    promise = whole(
        "Number of the announcement of 21 October 2025 it belongs to (1 to 12); empty: from the register of agreements.",
        nullable=True,
        least=1,
    )
    is_headline = claim("Stands for its promise in the first summary; the others are in the register only.")
    title = text("What was promised.")
    short = text("At most 24 characters, for the summary.", nullable=True)
    metric = text_id(
        "Model quantity: corridor_mt, containers_teu, crude_mt, cordon_mt, cordon_kt, link_open, link_kt, family_shift_mt (against the"
        " baseline), full_facilities (facilities on the corridor that are full; fewer is better), trade_musd (trade of two countries;"
        " told by `karvan commitments` and `karvan trade`, not by a run), power_line (what a line earns, which no run counts) or none."
    )
    element_id = text(
        "Cordon of cordon_mt and cordon_kt; link of link_kt; links of link_open, joined by ';', of which all must be open; route family of"
        " family_shift_mt; two regions of trade_musd, joined by ';'; measure that lays the line of power_line.",
        nullable=True,
    )
    target = number("Promised value, in `unit`.", unit="unit column", nullable=True)
    unit = text("Unit of target and observed.", nullable=True)
    year = whole("Year it was promised for.", nullable=True)
    observed = number("Last observed value, in `unit`.", unit="unit column", nullable=True)
    observed_year = whole("Year of the observed value.", nullable=True)
    status = text("Where it stands, in words.")
    date = text("When it was promised.", nullable=True)
    parties = text("Who promised.", nullable=True)
    said = text("What was said or signed, in one or two sentences.", nullable=True)
    measures = text("Measures of the case that serve it, their ids joined by ';'.", nullable=True)
    shares_with = text_id(
        "Another promise that counts the same goods: of the same model quantity, or one corridor_mt and the other crude_mt, cordon_mt or"
        " cordon_kt.",
        refers_to="commitments.commitment_id",
        nullable=True,
    )

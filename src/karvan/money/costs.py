"""What measures cost that nobody has published a cost of, and how far costs and dates are off as a rule."""

from __future__ import annotations

from karvan.schema import Table, choice, number, text, text_id

SECTORS = ("rail", "port", "ship", "road", "oil", "power", "digital", "industry")


class CostClasses(Table):
    """A class of works: what a unit of it costs, and the record of its like."""

    class_id = text_id("The class.", primary_key=True)
    name = text("Name to show.")
    sector = choice("Sector, by which funds say what they pay for.", SECTORS)
    unit = text("What a unit is, such as a kilometre of line.")
    unit_musd = number("Cost of a unit.", unit="M USD/unit", least=0.0)
    low_musd = number("Low end of its range.", unit="M USD/unit", least=0.0)
    high_musd = number("High end of its range.", unit="M USD/unit", least=0.0)
    running_share_per_year = number("Upkeep in a year over capital cost.", least=0.0, most=1.0)
    build_year_count = number("Years that it takes to build.", above=0.0)
    life_year_count = number("Years that it lasts.", above=0.0)
    overrun_share = number("Mean cost overrun of its reference class, over the estimate.", least=0.0)
    overrun_high_share = number("Overrun that four in five of the class do not exceed.", least=0.0)
    delay_share = number("Mean delay of its reference class, over the time planned.", least=0.0)
    delay_high_share = number("Delay that four in five of the class do not exceed.", least=0.0)
    note = text("For readers; no code reads it.", nullable=True)


class ProjectCosts(Table):
    """What a measure is made of. The cost that the measure states itself wins over the one that follows from its class."""

    measure_id = text_id("The measure.", primary_key=True)
    class_id = text_id("Its class.", refers_to="cost_classes.class_id")
    quantity = number("Units of the class.", unit="units of the class", above=0.0)
    sponsors = text(
        "Who earns what it brings in, joined by ';'; empty: nobody in the freight market.", nullable=True, list_of="operators.operator_id"
    )
    excludes = text("Other measures that are the same works, of which one at most is built, joined by ';'.", nullable=True)
    note = text("For readers; no code reads it.", nullable=True)

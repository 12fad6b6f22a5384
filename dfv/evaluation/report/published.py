"""Figures that others printed, for the tables."""

from typing import NamedTuple


class Printed(NamedTuple):
    """Error in %."""

    train: float
    test: float


# Table 1 of the paper.
TABLE_1 = {
    "sprites": {"z": Printed(58.6, 59.8), "s": Printed(5.5, 5.2), "chance": Printed(60.7, 60.7)},
    "smallnorb": {"z": Printed(79.8, 79.9), "s": Printed(2.6, 13.5), "chance": Printed(80.0, 80.0)},
    "yaleb": {"z": Printed(96.4, 96.4), "s": Printed(0.05, 0.08), "chance": Printed(96.4, 96.4)},
}

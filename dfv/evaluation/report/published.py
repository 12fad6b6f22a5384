"""Published results that the report shows for comparison."""

from typing import NamedTuple


class PublishedError(NamedTuple):
    """Error rate in percent."""

    train: float
    test: float


class PublishedLeakage(NamedTuple):
    """Error rates of the paper's classifiers of z and of s, and of random guessing."""

    z: PublishedError
    s: PublishedError
    random: float


# Table 1 of the paper, by data set.
TABLE_1 = {
    "sprites": PublishedLeakage(z=PublishedError(58.6, 59.8), s=PublishedError(5.5, 5.2), random=60.7),
    "smallnorb": PublishedLeakage(z=PublishedError(79.8, 79.9), s=PublishedError(2.6, 13.5), random=80.0),
    "yaleb": PublishedLeakage(z=PublishedError(96.4, 96.4), s=PublishedError(0.05, 0.08), random=96.4),
}

"""Effect sizes with intervals from formulas: Cliff's delta, differences of shares, odds ratios."""

from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np

from keepwell.metrics.frame import Floats

Z95: Final = 1.959963984540054
SIZES: Final = ((0.147, "negligible"), (0.33, "small"), (0.474, "medium"))
"""Romano et al. 2006, for Cliff's delta."""


@dataclass(frozen=True)
class Effect:
    """An effect and its 95 % interval."""

    value: float
    low: float
    high: float


def size_words(effect: float) -> str:
    """How large an effect is: negligible, small, medium or large."""
    return next((word for bound, word in SIZES if abs(effect) < bound), "large")


def cliffs_delta(here: Floats, there: Floats) -> Effect:
    """Cliff's delta of two samples with Feng and Cliff's interval, which never leaves -1 to 1.

    Parameters
    ----------
    here, there
        Known values, at least two of each.

    Raises
    ------
    ValueError
        When one sample has fewer than two values.
    """
    if min(len(here), len(there)) < 2:
        raise ValueError("Cliff's delta needs two values on each side")
    rows, columns = _dominance(here, there), -_dominance(there, here)
    delta, n, m = float(rows.mean()), len(here), len(there)
    ties = float((np.searchsorted(np.sort(there), here, "right") - np.searchsorted(np.sort(there), here, "left")).sum())
    spread = n * m - ties - n * m * delta * delta
    top = m * m * float(((rows - delta) ** 2).sum()) + n * n * float(((columns - delta) ** 2).sum()) - spread
    variance = max(top / (n * m * (n - 1) * (m - 1)), (1 - delta * delta) / (n * m - 1), 0.0)
    if abs(delta) >= 1:
        edge = (min(n, m) - Z95**2) / (min(n, m) + Z95**2)
        return Effect(delta, *sorted((delta, delta * edge)))
    half = Z95 * sqrt(variance) * sqrt((1 - delta**2) ** 2 + Z95**2 * variance)
    bottom = 1 - delta**2 + Z95**2 * variance
    return Effect(delta, (delta - delta**3 - half) / bottom, (delta - delta**3 + half) / bottom)


def _dominance(here: Floats, there: Floats) -> Floats:
    """For every value of `here`, the share of `there` below it less the share above it."""
    ordered = np.sort(there)
    below = np.searchsorted(ordered, here, side="left")
    above = len(ordered) - np.searchsorted(ordered, here, side="right")
    return np.asarray((below - above) / len(ordered), dtype=np.float64)


def share_difference(hits: int, total: int, other_hits: int, other_total: int) -> Effect:
    """The difference of two shares with Newcombe's interval (method 10, from Wilson's)."""
    one, two = wilson(hits, total), wilson(other_hits, other_total)
    value = one.value - two.value
    low = value - sqrt((one.value - one.low) ** 2 + (two.high - two.value) ** 2)
    high = value + sqrt((one.high - one.value) ** 2 + (two.value - two.low) ** 2)
    return Effect(value, low, high)


def wilson(hits: int, total: int) -> Effect:
    """A share with Wilson's interval; raises ValueError without observations."""
    if not 0 <= hits <= total or not total:
        raise ValueError(f"{hits} of {total} is no share")
    found, z2 = hits / total, Z95**2
    center = (found + z2 / (2 * total)) / (1 + z2 / total)
    half = Z95 * sqrt(found * (1 - found) / total + z2 / (4 * total**2)) / (1 + z2 / total)
    return Effect(found, max(0.0, center - half), min(1.0, center + half))


def odds_ratio(hits: int, total: int, other_hits: int, other_total: int) -> float:
    """The odds ratio, with half a case added to every cell, so that an empty cell is no infinity."""
    odds = (hits + 0.5) / (total - hits + 0.5)
    other = (other_hits + 0.5) / (other_total - other_hits + 0.5)
    return odds / other

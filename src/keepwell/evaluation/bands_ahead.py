"""How far the next better band is, and which measures could get a customer there."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from keepwell.evaluation.contributions import Contribution
from keepwell.model.score_definitions import Band, Score

_LISTED: Final = 5


@dataclass(frozen=True)
class Mover:
    """A measure and the points of the score that it could still move for the better."""

    component: str
    measure: str
    points: Decimal


@dataclass(frozen=True)
class BandAhead:
    """The next better band: the score it takes, the points to go, and the measures that could move most."""

    band: str
    needs: int
    points: int
    movers: tuple[Mover, ...]


def band_ahead(score: Score, shown: float, lines: Sequence[Contribution]) -> BandAhead | None:
    """The next better band of a score; None in the best band and without a score."""
    if shown != shown:
        return None
    risk = score.kind == "risk"
    ahead = _below(score.bands, shown) if risk else _above(score.bands, shown)
    if ahead is None:
        return None
    band, needs = ahead
    return BandAhead(band.name, needs, abs(needs - int(shown)), _movers(lines, risk=risk))


def _above(bands: Sequence[Band], shown: float) -> tuple[Band, int] | None:
    higher = [band for band in bands if band.start > shown]
    best = min(higher, key=lambda band: band.start, default=None)
    return None if best is None else (best, math.ceil(best.start))


def _below(bands: Sequence[Band], shown: float) -> tuple[Band, int] | None:
    """For a risk: the highest whole score that is still below the present band."""
    reached = sorted((band for band in bands if band.start <= shown), key=lambda band: band.start)
    if len(reached) < 2:
        return None
    return reached[-2], math.ceil(reached[-1].start) - 1


def _movers(lines: Sequence[Contribution], *, risk: bool) -> tuple[Mover, ...]:
    def room(line: Contribution) -> Decimal:
        return line.amount if risk else line.open

    measures = (line for line in lines if line.kind == "measure" and room(line) > 0)
    ranked = sorted(measures, key=lambda line: -room(line))
    return tuple(Mover(line.component, line.measure, room(line)) for line in ranked[:_LISTED])

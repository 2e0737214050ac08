"""Net Promoter Score with its standard error; answers outside 0 to 10 are reported and left out, never clamped."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Final

from keepwell.reporting.plain import Plain

PROMOTER_FROM: Final = 9
PASSIVE_FROM: Final = 7
HIGHEST: Final = 10
Z95: Final = 1.959963984540054


@dataclass(frozen=True)
class Nps(Plain):
    """The score (-100 to 100) with what it rests on; None when nobody answered.

    `variance` and `standard_error` are of the categories as -1, 0 and 1; times 100 they are in points of the score.
    """

    promoters: int
    passives: int
    detractors: int
    nps: float | None
    variance: float | None
    standard_error: float | None
    warnings: tuple[str, ...] = ()

    @property
    def answers(self) -> int:
        """How many valid answers there are."""
        return self.promoters + self.passives + self.detractors

    @property
    def margin(self) -> float | None:
        """Half the width of the 95 % interval, in points of the score."""
        return None if self.standard_error is None else 100 * Z95 * self.standard_error


def nps_of_counts(promoters: int, passives: int, detractors: int, warnings: tuple[str, ...] = ()) -> Nps:
    """The score from counts of the three categories."""
    if min(promoters, passives, detractors) < 0:
        raise ValueError("counts of answers cannot be negative")
    total = promoters + passives + detractors
    if not total:
        return Nps(0, 0, 0, None, None, None, warnings)
    mean = (promoters - detractors) / total
    variance = max((promoters + detractors) / total - mean * mean, 0.0)
    return Nps(promoters, passives, detractors, 100 * mean, variance, sqrt(variance / total), warnings)


def nps_of_scores(scores: Iterable[float | None]) -> Nps:
    """The score from answers; what is missing is skipped, what is no answer is left out with a warning."""
    given = [score for score in scores if score is not None and score == score]
    valid = [score for score in given if _valid(score)]
    warnings = _warnings([score for score in given if not _valid(score)])
    promoters = sum(score >= PROMOTER_FROM for score in valid)
    passives = sum(PASSIVE_FROM <= score < PROMOTER_FROM for score in valid)
    return nps_of_counts(promoters, passives, len(valid) - promoters - passives, warnings)


def _valid(score: float) -> bool:
    return isfinite(score) and 0 <= score <= HIGHEST and score == int(score)


def _warnings(invalid: list[float]) -> tuple[str, ...]:
    if not invalid:
        return ()
    examples = ", ".join(f"{score:g}" for score in dict.fromkeys(invalid[:3]))
    noun = "answer is not a whole number" if len(invalid) == 1 else "answers are not whole numbers"
    return (f"{len(invalid)} {noun} from 0 to 10 and left out: {examples}",)

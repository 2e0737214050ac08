"""The bands of a score cover 0 to 100, from high to low, and each can be reached."""

import math
from collections.abc import Iterable, Iterator

from keepwell.model.problems import Problem
from keepwell.model.score_definitions import Band
from keepwell.model.validation.context import Context
from keepwell.model.yaml_source import KeyPath

NO_BAND = "Not enough data"


def check(context: Context) -> Iterable[Problem]:
    """Bands out of range, out of order, overlapping, unreachable, or named twice."""
    for name, score in context.model.scores.items():
        path: KeyPath = ("scores", name, "bands")
        yield from _each(context, path, score.bands)
        yield from _pairs(context, path, score.bands)
        if min(band.start for band in score.bands) > 0:
            message = "no band starts at 0: a score below the lowest band would have no name"
            yield context.error(path, message, key=True)


def _each(context: Context, path: KeyPath, bands: tuple[Band, ...]) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, band in enumerate(bands):
        if not 0 <= band.start <= 100:
            yield context.error((*path, index, "from"), f"band '{band.name}': scores run from 0 to 100")
        if band.name == NO_BAND:
            yield context.error((*path, index, "name"), f"'{NO_BAND}' is what a score without enough data is called")
        if band.name in seen:
            yield context.error((*path, index, "name"), f"duplicate band '{band.name}'")
        seen.add(band.name)


def _pairs(context: Context, path: KeyPath, bands: tuple[Band, ...]) -> Iterator[Problem]:
    for index in range(1, len(bands)):
        above, band = bands[index - 1], bands[index]
        place = (*path, index, "from")
        if band.start == above.start:
            message = f"band '{band.name}' is never reached: '{above.name}' starts at {above.start:g}, too"
            yield context.error(place, message)
        elif band.start > above.start:
            message = f"bands go from high to low: '{band.name}' ({band.start:g}) after '{above.name}'"
            yield context.error(place, f"{message} ({above.start:g})")
        elif math.ceil(band.start) == math.ceil(above.start):
            message = f"band '{band.name}' is never reached: scores are whole numbers"
            yield context.error(place, f"{message}, and '{above.name}' has {math.ceil(above.start)}")

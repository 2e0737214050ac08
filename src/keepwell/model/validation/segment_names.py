"""Segments and bands that conditions and parents name exist."""

from collections.abc import Iterable, Iterator

from keepwell.model.problems import Problem, did_you_mean
from keepwell.model.usages import SegmentUse, segment_uses
from keepwell.model.validation.context import Context


def check(context: Context) -> Iterable[Problem]:
    """Unknown segments, parents and bands, and bands that two scores have."""
    bands: dict[str, list[str]] = {}
    for name, score in context.model.scores.items():
        for band in score.bands:
            bands.setdefault(band.name, []).append(name)
    lost_scores = any(path[:1] == ("scores",) for path in context.broken)
    for use in segment_uses(context.model):
        if _is_segment(context, use.name) or (use.moved and lost_scores):
            continue
        yield from _unknown(context, use, bands)


def _is_segment(context: Context, name: str) -> bool:
    by = [n for n, s in context.model.segments.items() if s.by is not None]
    return name in context.names("segments") or any(name.startswith(f"{n}: ") for n in by)


def _unknown(context: Context, use: SegmentUse, bands: dict[str, list[str]]) -> Iterator[Problem]:
    segments = context.names("segments")
    scores = bands.get(use.name, []) if use.moved else []
    if len(scores) > 1:
        message = f"'{use.name}' is a band of {' and of '.join(scores)}; the first is meant"
        yield context.warning(use.path, message)
    elif not scores:
        what = "segment or band" if use.moved else "segment"
        known = (*segments, *bands) if use.moved else segments
        yield context.error(use.path, f"unknown {what} '{use.name}'{did_you_mean(use.name, known)}")

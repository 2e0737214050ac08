"""The metric of a measure is of the kind that its curve reads."""

from collections.abc import Iterable, Iterator

from keepwell.model.problems import Problem, did_you_mean
from keepwell.model.validation.bands import NO_BAND
from keepwell.model.validation.context import Context
from keepwell.model.validation.inference import BOOLEAN, DATE, NUMBER, Kind, Kinds
from keepwell.model.validation.measures import MeasurePlace, measures


def check(context: Context) -> Iterable[Problem]:
    """Flags on what is not true or false, curves of numbers on texts, and lookup keys that never come."""
    kinds = Kinds(context)
    for place in measures(context.model):
        if place.measure.metric is not None:
            kind = kinds.of_name(place.measure.metric)
            if kind.type is not None:
                yield from _measure(context, place, kind)
    for name, segment in context.model.segments.items():
        kind = kinds.of_name(segment.by) if segment.by is not None else Kind()
        if kind.type in (NUMBER, DATE):
            yield context.error(("segments", name, "by"), f"'{segment.by}' is a {kind.type}; 'by' takes a text")


def _measure(context: Context, place: MeasurePlace, kind: Kind) -> Iterator[Problem]:
    curve, name = place.measure.curve, place.measure.metric
    path = (*place.path, "metric")
    if curve == "flag":
        if kind.type is not BOOLEAN:
            yield context.error(path, f"'{name}' is a {kind.type}; the curve flag takes true or false")
    elif curve == "lookup":
        yield from _lookup(context, place, kind)
    elif kind.type is not NUMBER:
        hint = "; days_since() of it is a number" if kind.type is DATE else ""
        yield context.error(path, f"'{name}' is a {kind.type}; the curve {curve} takes a number{hint}")


def _lookup(context: Context, place: MeasurePlace, kind: Kind) -> Iterator[Problem]:
    possible = frozenset({"true", "false"}) if kind.type is BOOLEAN else kind.values
    if possible is None:
        return
    folded = {value.casefold() for value in possible}
    table = place.measure.lookup or {}
    for key in table:
        if key.strip().casefold() not in folded:
            hint = did_you_mean(key, possible) or f"; it may be {', '.join(sorted(possible))}"
            yield context.error(
                (*place.path, "lookup", key), f"'{place.measure.metric}' is never '{key}'{hint}", key=True
            )
    lost = sorted(possible - {NO_BAND} - set(table)) if "otherwise" not in place.measure.model_fields_set else []
    lost = [value for value in lost if value.casefold() not in {key.strip().casefold() for key in table}]
    if lost:
        message = f"no entry for {', '.join(lost)}: 0 points; say so with 'else: 0'"
        yield context.warning((*place.path, "lookup"), message, key=True)

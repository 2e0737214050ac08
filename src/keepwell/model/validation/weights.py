"""Weights sum to 1, to 100 or to their component's own weight, and the maxima of a summed health score to 100."""

from collections.abc import Iterable, Iterator, Mapping
from math import fsum, isclose

from keepwell.model.problems import Problem
from keepwell.model.score_definitions import Component, Measure, Score
from keepwell.model.validation.context import Context
from keepwell.model.yaml_source import KeyPath


def check(context: Context) -> Iterable[Problem]:
    """Weights of components in mean scores, of measures in mean components, and maxima in summed scores."""
    for name, score in context.model.scores.items():
        path: KeyPath = ("scores", name, "components")
        if score.method == "mean":
            yield from _mean(context, path, score.components, "components")
        else:
            yield from _sum(context, path, score)
        for component_name, component in score.components.items():
            if component.method == "mean":
                where = (*path, component_name, "measures")
                yield from _mean(context, where, component.measures, "measures", component.weight)


def _mean(
    context: Context,
    path: KeyPath,
    parts: Mapping[str, Component] | Mapping[str, Measure],
    what: str,
    own: float | None = None,
) -> Iterator[Problem]:
    weights = [part.weight for part in parts.values()]
    given = [weight for weight in weights if weight is not None]
    if not given:
        return
    total = fsum(given)
    if len(given) < len(weights):
        lacking = next(name for name, part in parts.items() if part.weight is None)
        yield context.error((*path, lacking), f"'{lacking}' needs a weight, as the other {what} have one", key=True)
    elif not any(isclose(total, wanted, rel_tol=1e-9) for wanted in (1, 100, own or 1)):
        also = "" if own is None else f", nor to the {own:.12g} of their component"
        yield context.error(path, f"the weights of the {what} sum to {total:.12g}, not to 1 or 100{also}", key=True)


def _sum(context: Context, path: KeyPath, score: Score) -> Iterator[Problem]:
    total = fsum(component.maximum for component in score.components.values())
    if score.kind == "health" and not isclose(total, 100, abs_tol=1e-7):
        message = f"the maxima of the components sum to {total:.12g}; a health score that is a sum needs 100"
        yield context.error(path, message, key=True)
    for name, component in score.components.items():
        if component.weight is not None:
            message = "a weight says nothing in a score that is a sum; 'maximum' does"
            yield context.warning((*path, name, "weight"), message, key=True)

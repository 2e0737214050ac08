"""No name means two things."""

from collections.abc import Iterable

from keepwell.model.problems import Problem
from keepwell.model.validation.context import Context


def check(context: Context) -> Iterable[Problem]:
    """Metrics whose name a score or the segments give already, and what cannot be named at all."""
    for name in context.model.metrics:
        if name in context.derived:
            giver = "the primary segment" if name == "segment" else f"score '{name.rsplit('_', 1)[0]}'"
            yield context.error(("metrics", name), f"the name '{name}' is given by {giver}", key=True)
        elif name in ("setting", "as_of"):
            yield context.error(("metrics", name), f"the name '{name}' has a meaning in expressions", key=True)
    for name in context.model.segments:
        if not name.strip():
            yield context.error(("segments", name), "a segment needs a name", key=True)
    for name in context.model.signals:
        if not name.strip():
            yield context.error(("signals", name), "a signal needs a name", key=True)

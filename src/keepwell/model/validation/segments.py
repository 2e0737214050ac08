"""Every segment has a way in, one catch-all closes a dimension, and no segment repeats an earlier one."""

from collections.abc import Iterable, Iterator

from keepwell.model.conditions import condition_expression
from keepwell.model.definitions import Segment
from keepwell.model.problems import Problem
from keepwell.model.validation.context import Context

PRIMARY = "primary"


def check(context: Context) -> Iterable[Problem]:
    """Segments nobody can be in or that are never reached, and catch-alls out of place."""
    dimensions: dict[str, dict[str, Segment]] = {}
    for name, segment in context.model.segments.items():
        dimensions.setdefault(segment.dimension, {})[name] = segment
        yield from _way_in(context, name, segment)
    for dimension, segments in dimensions.items():
        yield from _catch_all(context, dimension, segments)
        yield from _repeated(context, segments)


def _way_in(context: Context, name: str, segment: Segment) -> Iterator[Problem]:
    path = ("segments", name)
    if not (segment.when is not None or segment.by is not None or segment.catch_all):
        yield context.error(path, f"segment '{name}' needs 'when', 'by' or 'catch_all: true'", key=True)
    for key in ("when", "by"):
        if segment.catch_all and getattr(segment, key) is not None:
            yield context.error((*path, key), f"a catch-all takes everybody left: it has no '{key}'", key=True)


def _catch_all(context: Context, dimension: str, segments: dict[str, Segment]) -> Iterator[Problem]:
    names = list(segments)
    found = [name for name in names if segments[name].catch_all]
    for name in found[1:]:
        message = f"dimension '{dimension}' has a catch-all already: '{found[0]}'"
        yield context.error(("segments", name, "catch_all"), message, key=True)
    # One whose parent narrows it leaves others for the segments after it.
    if len(found) == 1 and found[0] != names[-1] and segments[found[0]].parent is None:
        message = f"the catch-all must be the last of dimension '{dimension}': '{names[-1]}' is never reached"
        yield context.error(("segments", found[0], "catch_all"), message, key=True)
    if dimension == PRIMARY and not found and not context.broken:
        message = "no segment is a catch-all: a customer that fits none has no primary segment"
        yield context.warning(("segments", names[0]), message, key=True)


def _repeated(context: Context, segments: dict[str, Segment]) -> Iterator[Problem]:
    seen: dict[object, str] = {}
    for name, segment in segments.items():
        if segment.when is None:
            continue
        content = (condition_expression(segment.when), segment.parent, segment.by)
        first = seen.setdefault(content, name)
        if first != name:
            message = f"segment '{name}' is never reached: '{first}' has the same condition"
            yield context.error(("segments", name, "when"), message)

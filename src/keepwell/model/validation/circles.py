"""Nothing is computed from itself, whatever it goes through: metrics, scores, segments or signals."""

from collections.abc import Iterable

from keepwell.model.graph import SEGMENTS, node_key, node_of, same_day_names, segment_inputs
from keepwell.model.problems import Problem
from keepwell.model.validation.context import Context, place_in
from keepwell.model.yaml_source import KeyPath

Edges = dict[str, dict[str, tuple[KeyPath, str | None, str]]]
"""What reads what: the path where it does, the text there, and the name it is read by."""


def check(context: Context) -> Iterable[Problem]:
    """Each circle once, with its path and the line of every step."""
    edges = _edges(context)
    reported: set[str] = set()
    for start in edges:
        if start not in reported:
            circle = _shortest_circle(edges, start)
            reported.update(circle)
            if circle:
                yield _problem(context, edges, circle)


def _edges(context: Context) -> Edges:
    """What reads what, and where. `segments` is the choice of the primary one, which reads those it chooses from."""
    edges: Edges = {}
    for usage in context.usages:
        owner = node_key(usage.owner)
        for name in same_day_names(usage):
            node = node_of(context.model, name)
            if node:
                edges.setdefault(owner, {}).setdefault(node, (usage.path, usage.text, name))
    for path, reader, read in segment_inputs(context.model):
        edges.setdefault(reader, {}).setdefault(read, (path, None, ""))
    return edges


def _shortest_circle(edges: Edges, start: str) -> tuple[str, ...]:
    paths: dict[str, tuple[str, ...]] = {start: (start,)}
    waiting = [start]
    while waiting:
        node = waiting.pop(0)
        for following in edges.get(node, {}):
            if following == start:
                return paths[node]
            if following not in paths:
                paths[following] = (*paths[node], following)
                waiting.append(following)
    return ()


def _problem(context: Context, edges: Edges, circle: tuple[str, ...]) -> Problem:
    steps = [(a, *edges[a][b]) for a, b in zip(circle, (*circle[1:], circle[0]), strict=True)]
    # Choosing the primary segment is written nowhere: the segments that it chooses from say enough.
    written = [(node.split(":", 1)[1], path, text, name) for node, path, text, name in steps if node != SEGMENTS]
    lines = ", ".join(f"{step} at {context.source.place(path)}" for step, path, *_ in written)
    names = [step for step, *_ in written]
    _, path, text, name = written[0]
    return context.error(path, f"circle: {' -> '.join([*names, names[0]])} ({lines})", shift=place_in(text, name))

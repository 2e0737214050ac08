"""Nothing is computed from itself: not metrics, scores and segments, and not segments among themselves."""

from collections.abc import Iterable
from typing import Final

from keepwell.model.graph import SEGMENTS, node_key, node_of, same_day_names
from keepwell.model.problems import Problem
from keepwell.model.usages import segment_uses
from keepwell.model.validation.context import Context, place_in
from keepwell.model.yaml_source import KeyPath

Place = tuple[KeyPath, int | None]
Edges = dict[str, dict[str, Place]]
ONE_SEGMENT: Final = "segment:"


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
    """What reads what, and where. `segments` stands for all of them; each also stands for itself."""
    edges: Edges = {}
    for usage in context.usages:
        owner = node_key(usage.owner)
        for name in same_day_names(usage):
            node = node_of(context.model, name)
            if node:
                edges.setdefault(owner, {}).setdefault(node, (usage.path, place_in(usage.text, name)))
    for use in segment_uses(context.model):
        if use.moved or use.name not in context.model.segments:
            continue
        if use.owner[0] == SEGMENTS:
            edges.setdefault(f"{ONE_SEGMENT}{use.owner[1]}", {}).setdefault(ONE_SEGMENT + use.name, (use.path, None))
        else:
            edges.setdefault(node_key(use.owner), {}).setdefault(SEGMENTS, (use.path, None))
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
    steps = [edges[a][b] for a, b in zip(circle, (*circle[1:], circle[0]), strict=True)]
    names = [_shown(node, path) for node, (path, _) in zip(circle, steps, strict=True)]
    lines = ", ".join(f"{name} at {context.source.place(path)}" for name, (path, _) in zip(names, steps, strict=True))
    path, shift = steps[0]
    return context.error(path, f"circle: {' -> '.join([*names, names[0]])} ({lines})", shift=shift)


def _shown(node: str, path: KeyPath) -> str:
    """The name of a node; for all segments together the one that reads on."""
    return str(path[1]) if node == SEGMENTS else node.split(":", 1)[1]

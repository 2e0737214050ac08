"""Movement as a picture: groups at the start on the left, at the end on the right, customers flowing between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from keepwell.interfaces.html_report.svg import WIDTH, drawing, rect, ribbon, tag
from keepwell.reporting.movement import Move, Movement
from keepwell.reporting.portfolio import Share

HEIGHT: Final = 380.0
GAP: Final = 8.0
NODE: Final = 12.0
LINE: Final = 17.0
JOINED, LEFT = "Joined", "Left"


@dataclass
class _Node:
    label: str
    class_: str
    customers: int
    top: float = 0.0
    height: float = 0.0
    used: float = 0.0

    def take(self, part: float) -> tuple[float, float]:
        start = self.top + self.used
        self.used += part
        return start, start + part


def flow_chart(movement: Movement, shares: Sequence[Share], classes: Mapping[str, str]) -> Markup:
    """The flow of customers between the groups of two dates, who joined and who left included."""
    sources = _nodes(movement.moves, shares, classes, left=True)
    targets = _nodes(movement.moves, shares, classes, left=False)
    scale = min(_place(sources), _place(targets))
    for nodes in (sources, targets):
        _spread(nodes, scale)
    shapes = _ribbons(movement.moves, sources, targets, scale)
    shapes += [rect(0, n.top, NODE, n.height, f"fill {n.class_}") for n in sources.values()]
    shapes += [rect(WIDTH - NODE, n.top, NODE, n.height, f"fill {n.class_}") for n in targets.values()]
    label = f"Customers by group on {movement.first} (left) and {movement.last} (right); the table has the numbers"
    sides = _labels(sources, "from") + _labels(targets, "to")
    return tag("div", drawing(shapes, HEIGHT, label) + sides, class_="flow")


def _nodes(
    moves: Sequence[Move], shares: Sequence[Share], classes: Mapping[str, str], *, left: bool
) -> dict[str | None, _Node]:
    labels = {share.name: share.label for share in shares}
    names: list[str | None] = [share.name for share in shares]
    found = [move.source if left else move.target for move in moves]
    names += [name for name in dict.fromkeys(found) if name is not None and name not in labels]
    out: dict[str | None, _Node] = {}
    for name in [*names, None]:
        customers = sum(m.customers for m, side in zip(moves, found, strict=True) if side == name)
        if customers:
            label = (JOINED if left else LEFT) if name is None else labels.get(name, name)
            class_ = ("joined" if left else "left") if name is None else classes.get(name, "gray")
            out[name] = _Node(label, class_, customers)
    return out


def _place(nodes: Mapping[str | None, _Node]) -> float:
    """How high one customer may be, so that all nodes and the gaps between them fit."""
    total = sum(node.customers for node in nodes.values())
    return (HEIGHT - GAP * max(len(nodes) - 1, 0)) / max(total, 1)


def _spread(nodes: Mapping[str | None, _Node], scale: float) -> None:
    top = 0.0
    for node in nodes.values():
        node.top, node.height = top, node.customers * scale
        top += node.height + GAP


def _ribbons(
    moves: Sequence[Move], sources: Mapping[str | None, _Node], targets: Mapping[str | None, _Node], scale: float
) -> list[Markup]:
    out: dict[int, tuple[float, float]] = {}
    into: dict[int, tuple[float, float]] = {}
    order = {name: i for i, name in enumerate(targets)}
    back = {name: i for i, name in enumerate(sources)}
    numbered = list(enumerate(moves))
    for i, move in sorted(numbered, key=lambda item: (back[item[1].source], order[item[1].target])):
        out[i] = sources[move.source].take(move.customers * scale)
    for i, move in sorted(numbered, key=lambda item: (order[item[1].target], back[item[1].source])):
        into[i] = targets[move.target].take(move.customers * scale)
    ends = NODE, WIDTH - NODE
    # Those who stayed lie at the back, quiet: the picture is about the others.
    front = sorted(numbered, key=lambda item: item[1].kind != "stayed")
    return [ribbon(out[i], into[i], ends, f"ribbon {move.kind}") for i, move in front]


def _labels(nodes: Mapping[str | None, _Node], side: str) -> Markup:
    """Names beside the nodes, pushed apart where nodes are thinner than a line of text."""
    centers = [node.top + node.height / 2 for node in nodes.values()]
    places = list(centers)
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + LINE)
    limit = HEIGHT - LINE / 2
    for i in reversed(range(len(places))):
        places[i] = min(places[i], limit)
        limit = places[i] - LINE
    return Markup("").join(
        tag(
            "span",
            tag("b", f"{node.customers:,}") + " " + node.label,
            class_=side,
            style=f"top:{100 * y / HEIGHT:.2f}%",
        )
        for node, y in zip(nodes.values(), places, strict=True)
    )

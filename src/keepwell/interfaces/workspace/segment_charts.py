"""Options of the charts of segments: flows between dates, figures side by side, members over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final
from urllib.parse import urlencode

from keepwell.interfaces.workspace.portfolio_charts import color_of
from keepwell.interfaces.workspace.templatetags.keepwell import day
from keepwell.reporting.groups import Group
from keepwell.reporting.movement import Move, Movement
from keepwell.services.segment_figures import Line
from keepwell.services.segment_members import MembersPoint

NOBODY: Final = ""
_TEXT: Final = "var(--tblr-body-color)"
_KINDS: Final = {
    "stayed": "var(--tblr-secondary)",
    "upgrade": "var(--tblr-green)",
    "downgrade": "var(--tblr-red)",
    "lateral": "var(--tblr-azure)",
    "joined": "var(--tblr-teal)",
    "left": "var(--tblr-orange)",
}


def flow_query(move: Move) -> dict[str, str]:
    """A flow as parameters of an address."""
    return {"source": move.source or NOBODY, "target": move.target or NOBODY}


def sankey_option(found: Movement, groups: Sequence[Group], address: str) -> dict[str, Any]:
    """The flow of customers from the groups of the first date to those of the last; a flow leads to its customers."""
    order = {group.name: at for at, group in enumerate(groups)}
    colors = {group.name: group.color for group in groups}
    moves = sorted(found.moves, key=lambda move: (_place(order, move.source), _place(order, move.target)))
    sides = [sorted({_node(move, side) for move in moves}, key=lambda n: _place(order, n.group)) for side in (0, 1)]
    series = {
        "type": "sankey",
        "data": [_drawn(node, colors) for side in sides for node in side],
        "links": [_link(move, address) for move in moves],
        "nodeGap": 12, "nodeWidth": 14, "layoutIterations": 0, "draggable": False,
        "left": 4, "right": 4, "top": 8, "bottom": 8,
        "emphasis": {"focus": "adjacency"}, "label": {"color": _TEXT, "fontSize": 12},
    }  # fmt: skip
    return {"series": [series], "tooltip": {"trigger": "item"}}


@dataclass(frozen=True)
class _Node:
    """An end of flows: a group on one of the dates, or nobody's."""

    side: int
    group: str | None
    label: str

    @property
    def name(self) -> str:
        """Names differ on both sides, and people see them when they point at a flow."""
        return f"{self.label}{' ' if self.side else ''}"


def _node(move: Move, side: int) -> _Node:
    if side == 0:
        return _Node(0, move.source, "Joined" if move.source is None else move.source_label or move.source)
    return _Node(1, move.target, "Left" if move.target is None else move.target_label or move.target)


def _place(order: Mapping[str, int], group: str | None) -> tuple[bool, int, str]:
    """In the order of the groups; those of another model come next, and nobody's last."""
    return group is None, order.get(group or "", len(order)), group or ""


def _drawn(node: _Node, colors: Mapping[str, str]) -> dict[str, Any]:
    outside = _KINDS["left" if node.side else "joined"]
    return {
        "name": node.name,
        "depth": node.side,
        "itemStyle": {"color": outside if node.group is None else color_of(colors.get(node.group, "gray"))},
        "label": {"position": "left" if node.side else "right"},
    }


def _link(move: Move, address: str) -> dict[str, Any]:
    return {
        "source": _node(move, 0).name,
        "target": _node(move, 1).name,
        "value": move.customers,
        "href": f"{address}&{urlencode(flow_query(move))}#flow",
        "lineStyle": {"color": _KINDS[move.kind], "opacity": 0.18 if move.kind == "stayed" else 0.5},
    }


def compared_option(lines: Sequence[Line]) -> dict[str, Any]:
    """Health, retention and risk of each segment, as bars of percentages and points."""
    shown = [line for line in lines if line.row.customers]
    health = [line.row.health.value for line in shown]
    figures = (
        *((("Health", health, 1.0),) if any(value is not None for value in health) else ()),
        ("NRR %", [line.row.nrr.value for line in shown], 100.0),
        ("GRR %", [line.row.grr.value for line in shown], 100.0),
        ("At risk %", [line.row.at_risk_share for line in shown], 100.0),
    )
    series = [
        {
            "name": line.row.label,
            "type": "bar",
            "barMaxWidth": 26,
            "itemStyle": {"color": color},
            "data": [None if (value := values[at]) is None else round(value * by, 1) for _, values, by in figures],
        }
        for at, (line, color) in enumerate(zip(shown, _colors(shown), strict=True))
    ]
    return {
        # On a phone two names fit into a line.
        "media": [{"query": {"maxWidth": 480}, "option": {"grid": {"top": 16 + 26 * ceil(len(shown) / 2)}}}],
        "legend": {"top": 0, "left": 8, "itemGap": 12, "textStyle": {"color": _TEXT}},
        "grid": {"left": 8, "right": 8, "top": 60, "bottom": 4, "containLabel": True},
        "xAxis": {"type": "category", "data": [name for name, *_ in figures]},
        "yAxis": {"type": "value"},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "series": series,
    }


def _colors(lines: Sequence[Line]) -> list[str]:
    """Each segment in its own colour; one that has another's, or everybody, takes a colour that is free."""
    own = [color_of(line.row.color) for line in lines]
    free = (color for color in (*_PALETTE, *_PALETTE) if color not in own)
    return [color if color not in own[:at] else next(free, color) for at, color in enumerate(own)]


_HUES: Final = ("teal", "azure", "orange", "purple", "lime", "pink", "yellow", "indigo", "cyan", "secondary")
_PALETTE: Final = tuple(f"var(--tblr-{name})" for name in _HUES)


def trend_option(points: Sequence[MembersPoint]) -> dict[str, Any]:
    """Customers (left) and ARR (right) of a segment over time."""
    days = [day(point.as_of) for point in points]
    line = {"type": "line", "showSymbol": len(points) < 3, "smooth": False}
    return {
        "legend": {"top": 0},
        "grid": {"left": 8, "right": 8, "top": 40, "bottom": 4, "containLabel": True},
        "xAxis": {"type": "category", "data": days, "boundaryGap": False},
        "yAxis": [
            {"type": "value", "minInterval": 1},
            {"type": "value", "splitLine": {"show": False}},
        ],
        "tooltip": {"trigger": "axis"},
        "series": [
            {**line, "name": "Customers", "data": [point.customers for point in points],
             "itemStyle": {"color": "var(--tblr-primary)"}},
            {**line, "name": "ARR", "yAxisIndex": 1, "data": [round(point.arr) for point in points],
             "itemStyle": {"color": "var(--tblr-azure)"}, "lineStyle": {"type": "dashed"}},
        ],
    }  # fmt: skip

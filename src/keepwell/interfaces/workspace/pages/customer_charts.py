"""Charts of the customer page as ECharts options, and the ribbon of segments for models without a score."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from keepwell.interfaces.workspace.templatetags.keepwell import color as color_name
from keepwell.model.definitions import Model
from keepwell.model.score_definitions import Band
from keepwell.services.published import HistoryPoint, Usage
from keepwell.services.published.kept_models import segment_shown

_TOP: Final = 100
_GRID: Final = {"left": 28, "right": 8, "top": 10, "bottom": 22}
_DAYS: Final = {"formatter": "{d} {MMM}", "hideOverlap": True}


def score_chart(history: Sequence[HistoryPoint], bands: Sequence[Band]) -> dict[str, Any]:
    """The score over time before the areas of its bands; days without a score are gaps."""
    points = [[point.as_of.isoformat(), point.score] for point in history]
    covered = [
        [point.as_of.isoformat(), None if point.coverage is None else round(point.coverage * 100)] for point in history
    ]
    return {
        "grid": _GRID,
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "time", "axisLabel": _DAYS, "splitLine": {"show": False}},
        "yAxis": {"type": "value", "min": 0, "max": _TOP, "interval": 20, "splitLine": {"show": False}},
        "series": [
            {
                "name": "Score",
                "type": "line",
                "showSymbol": len(history) < 3,
                "data": points,
                "lineStyle": {"width": 2.5, "color": "var(--tblr-body-color)"},
                "itemStyle": {"color": "var(--tblr-body-color)"},
                "markArea": {"silent": True, "data": list(_areas(bands))},
            },
            # Without a line of its own: the tooltip tells how much of the score had data.
            {
                "name": "Coverage %",
                "type": "line",
                "data": covered,
                "symbol": "none",
                "lineStyle": {"opacity": 0},
                "itemStyle": {"color": "var(--tblr-secondary)"},
            },
        ],
    }


def _areas(bands: Sequence[Band]) -> Iterator[list[dict[str, Any]]]:
    ordered = sorted(bands, key=lambda band: band.start)
    ends = [*(band.start for band in ordered[1:]), _TOP]
    for band, end in zip(ordered, ends, strict=True):
        paint = {"color": f"var(--tblr-{color_name(band.color)})", "opacity": 0.14}
        label = {"position": "insideTopLeft", "fontSize": 10, "color": "var(--tblr-secondary)", "distance": 3}
        yield [{"name": band.name, "yAxis": band.start, "itemStyle": paint, "label": label}, {"yAxis": end}]


@dataclass(frozen=True)
class Stretch:
    """A time in which a customer was in one segment; `left` and `wide` place it on the ribbon, in per cent."""

    label: str
    color: str
    first: date
    last: date
    days: int
    left: float
    wide: float


def segment_ribbon(history: Sequence[HistoryPoint], model: Model) -> tuple[Stretch, ...]:
    """Which primary segment a customer was in, from the first day on."""
    if not history:
        return ()
    start, whole = history[0].as_of, (history[-1].as_of - history[0].as_of).days + 1
    starts = [i for i, p in enumerate(history) if i == 0 or p.segment != history[i - 1].segment]
    stretches = []
    for place, following in zip(starts, [*starts[1:], len(history)], strict=True):
        first = history[place].as_of
        # A segment holds until the next published day says otherwise.
        days = ((history[following].as_of if following < len(history) else history[-1].as_of) - first).days
        days += following == len(history)
        name = history[place].segment
        label, color = ("None", "gray") if name is None else segment_shown(model, name)
        left, wide = (first - start).days / whole * 100, days / whole * 100
        stretches.append(
            Stretch(label, color, first, history[following - 1].as_of, days, round(left, 2), round(wide, 2))
        )
    return tuple(stretches)


def usage_chart(usage: Usage) -> dict[str, Any]:
    """Events and sessions as bars, different people as dots, day by day."""
    whole = {"type": "value", "minInterval": 1}
    return {
        "grid": {"left": 44, "right": 52, "top": 30, "bottom": 22},
        "tooltip": {"trigger": "axis"},
        "legend": {"top": 0, "left": "center", "itemHeight": 8, "itemWidth": 14, "itemGap": 26},
        "xAxis": {"type": "category", "data": [f"{day.day.day} {day.day:%b}" for day in usage.days]},
        "yAxis": [
            {**whole, "name": "Events", "nameTextStyle": {"align": "right"}},
            {**whole, "name": "People", "nameTextStyle": {"align": "left"}, "splitLine": {"show": False}},
        ],
        "series": [
            _series("Events", "bar", [day.events for day in usage.days], "var(--tblr-primary)"),
            _series("Sessions", "bar", [day.sessions for day in usage.days], "var(--tblr-cyan)"),
            # A day without anybody has no dot: many zeros would hide the days that count.
            _series("People", "scatter", [day.people or None for day in usage.days], "var(--tblr-orange)")
            | {"yAxisIndex": 1, "symbolSize": 6},
        ],
    }


def _series(name: str, kind: str, values: Sequence[int | None], color: str) -> dict[str, Any]:
    return {"name": name, "type": kind, "data": list(values), "itemStyle": {"color": color}, "barMaxWidth": 10}

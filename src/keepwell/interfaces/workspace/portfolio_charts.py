"""Options of the portfolio's charts."""

from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from keepwell.interfaces.workspace.templatetags.keepwell import number, short_money
from keepwell.services.published import GroupFigures

_NAMED: Final = {"gray": "secondary"}


def color_of(name: str) -> str:
    """A model's colour as a variable of the theme."""
    return f"var(--tblr-{_NAMED.get(name, name)})"


def groups_option(groups: Sequence[GroupFigures], address: str, parameter: str) -> dict[str, Any]:
    """Customers and ARR of each group side by side; a bar leads to the group's table."""
    labels = [group.label for group in groups]

    def bars(title: str, at: int, values: list[float], written: Callable[[float], str]) -> dict[str, Any]:
        data = [
            {
                "value": round(value),
                "label": {"formatter": written(value)},
                "itemStyle": {"color": color_of(group.color)},
                "href": f"{address}?{urlencode({parameter: group.name})}",
            }
            for group, value in zip(groups, values, strict=True)
        ]
        return {
            "name": title, "type": "bar", "xAxisIndex": at, "yAxisIndex": at, "data": data, "barMaxWidth": 26,
            "label": {"show": True, "position": "right", "color": "var(--tblr-body-color)"},
        }  # fmt: skip

    return {
        "media": [{"query": {"maxWidth": 480}, "option": _stacked()}],
        "grid": [
            {"left": 16, "right": "56%", "top": 30, "bottom": 4, "containLabel": True},
            {"left": "52%", "right": 70, "top": 30, "bottom": 4},
        ],
        "title": [
            {
                "text": "Customers",
                "left": 8,
                "top": 0,
                "textStyle": {"fontSize": 13, "color": "var(--tblr-body-color)"},
            },
            {"text": "ARR", "left": "52%", "top": 0, "textStyle": {"fontSize": 13, "color": "var(--tblr-body-color)"}},
        ],
        "xAxis": [{"type": "value", "gridIndex": at, "show": False} for at in (0, 1)],
        "yAxis": [
            {"type": "category", "gridIndex": at, "data": labels, "inverse": True, "axisLabel": {"show": at == 0}}
            for at in (0, 1)
        ],
        "series": [
            bars("Customers", 0, [group.customers for group in groups], number),
            bars("ARR", 1, [group.arr for group in groups], short_money),
        ],
    }


def _stacked() -> dict[str, Any]:
    """On a phone ARR stands below the customers, as two charts side by side have no room for their bars."""
    places = ({"top": 24, "bottom": "54%"}, {"top": "58%", "bottom": 0})
    return {
        "grid": [{"left": 24, "right": 56, "containLabel": True, **place} for place in places],
        "title": [{"left": 8, "top": 0}, {"left": 8, "top": "50%"}],
        "yAxis": [{"axisLabel": {"show": True, "interval": 0}}] * 2,
    }

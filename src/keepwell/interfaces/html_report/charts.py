"""The report's charts: stacked bars, lines and areas over time, and changes that build a total."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, floor, log10
from typing import Final

from markupsafe import Markup

from keepwell.interfaces.html_report.svg import WIDTH, Point, area, drawing, line, rect, tag
from keepwell.reporting.portfolio import Share
from keepwell.reporting.trend import Point as Moment
from keepwell.reporting.words import percent

HEIGHT: Final = 200.0
LABELLED_FROM: Final = 0.07
Words = Callable[[float], str]
Finer = Sequence[Words]


@dataclass(frozen=True)
class Part:
    """A part of a stacked bar."""

    label: str
    share: float
    class_: str


def stacked_bar(parts: Sequence[Part], label: str) -> Markup:
    """One bar of 100 %; parts wide enough carry their percentage."""
    shapes, texts, at = [], [], 0.0
    for part in parts:
        if part.share <= 0:
            continue
        shapes.append(rect(at * WIDTH, 0, part.share * WIDTH, 10, f"fill {part.class_}"))
        if part.share >= LABELLED_FROM:
            place = f"left:{100 * (at + part.share / 2):.2f}%"
            texts.append(tag("span", percent(part.share), class_=f"on {part.class_}", style=place))
        at += part.share
    words = ", ".join(f"{part.label} {percent(part.share)}" for part in parts if part.share > 0)
    return tag("div", drawing(shapes, 10, f"{label}: {words}") + Markup("").join(texts), class_="bar")


def share_bars(shares: Sequence[Share], classes: Mapping[str, str]) -> Markup:
    """Two bars, customers over ARR, so that a difference between them shows."""
    customers = [Part(s.label, s.customers_share or 0.0, classes[s.name]) for s in shares]
    arr = [Part(s.label, s.arr_share or 0.0, classes[s.name]) for s in shares]
    rows = [("Customers", customers), ("ARR", arr)]
    return Markup("").join(
        tag("div", tag("span", name, class_="bar-name") + stacked_bar(parts, name), class_="bar-row")
        for name, parts in rows
    )


def line_chart(
    values: Sequence[tuple[date, float | None]], words: Words, label: str, class_: str = "accent", finer: Finer = ()
) -> Markup:
    """One line over time with its ground shaded; days without a value are left out.

    `finer` are words with more digits, for an axis on which the plain ones would say the same twice.
    """
    known = [(day, value) for day, value in values if value is not None]
    if len(known) < 2:
        return tag("p", "Not enough days for a chart.", class_="none")
    low, high = _scale([value for _, value in known])
    days = _Days([day for day, _ in values])
    points: list[Point] = [(days.x(day), HEIGHT * (1 - (value - low) / (high - low))) for day, value in known]
    ground: list[Point] = [(points[0][0], HEIGHT), (points[-1][0], HEIGHT)]
    shapes = [_grid(), area(points, ground, f"ground {class_}"), line(points, f"line {class_}")]
    said = f"{label}: {words(known[0][1])} on {known[0][0]}, {words(known[-1][1])} on {known[-1][0]}"
    choices = [[say(low + (high - low) * i / 4) for i in range(5)] for say in (words, *finer)]
    ticks = next((choice for choice in choices if len(set(choice)) == len(choice)), choices[-1])
    return _framed(drawing([Markup("").join(shapes)], HEIGHT, said), ticks, days)


def area_chart(trend: Sequence[Moment], shares: Sequence[Share], classes: Mapping[str, str], label: str) -> Markup:
    """The share of customers in every group over time, stacked, the first group at the bottom."""
    if len(trend) < 2:
        return tag("p", "Not enough days for a chart.", class_="none")
    days = _Days([moment.as_of for moment in trend])
    floor_, shapes = [0.0] * len(trend), []
    for share in shares:
        roof = [f + m.groups.get(share.name, 0) / max(m.customers, 1) for f, m in zip(floor_, trend, strict=True)]
        top, bottom = (
            [(days.x(m.as_of), HEIGHT * (1 - v)) for m, v in zip(trend, e, strict=True)] for e in (roof, floor_)
        )
        if any(r > f for r, f in zip(roof, floor_, strict=True)):
            shapes.append(area(top, bottom, f"fill {classes[share.name]}"))
        floor_ = roof
    ends = ", ".join(f"{s.label} {percent(s.customers_share)}" for s in shares if s.customers)
    return _framed(drawing(shapes, HEIGHT, f"{label}, at the end: {ends}"), [percent(i / 4) for i in range(5)], days)


def change_bars(changes: Sequence[tuple[str, float, str]], label: str, words: Words) -> Markup:
    """Bars to the left and the right of a middle line, one for every change."""
    most = max((abs(amount) for _, amount, _ in changes), default=0.0) or 1.0
    rows = []
    for name, amount, class_ in changes:
        width = abs(amount) / most * WIDTH / 2
        shape = rect(WIDTH / 2 - (width if amount < 0 else 0), 0, width, 10, f"fill {class_}")
        axis = line([(WIDTH / 2, 0), (WIDTH / 2, 10)], "axis")
        bar = tag("span", drawing([shape, axis], 10, f"{name} {words(amount)}"), class_="change-bar")
        cells = tag("span", name, class_="change-name") + bar + tag("span", words(amount), class_="change-amount")
        rows.append(tag("li", cells))
    return tag("ul", Markup("").join(rows), class_="changes", aria_label=label)


class _Days:
    """Where days are on the horizontal axis."""

    def __init__(self, days: Sequence[date]) -> None:
        self.first, self.last = days[0], days[-1]
        self.length = max(1, (self.last - self.first).days)

    def x(self, day: date) -> float:
        return WIDTH * (day - self.first).days / self.length

    def ticks(self) -> list[tuple[float, str]]:
        """The first days of months, not more than about seven, never too close to the edges."""
        months = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month
        found, every = [], max(1, ceil(months / 6))
        for i in range(1, months + 1, every):
            year, month = divmod(self.first.month - 1 + i, 12)
            day = date(self.first.year + year, month + 1, 1)
            if 30 < self.x(day) < WIDTH - 30:
                found.append((self.x(day) / WIDTH, f"{day:%b}" if day.month > 1 else f"{day:%b %Y}"))
        return found or [(0.06, f"{self.first:%d %b}"), (0.94, f"{self.last:%d %b}")]


def _framed(image: Markup, ticks: Sequence[str], days: _Days) -> Markup:
    """An image with the words of both axes around it, in HTML; the image has its own description."""
    up = Markup("").join(tag("span", t, style=f"bottom:{100 * i / (len(ticks) - 1):.1f}%") for i, t in enumerate(ticks))
    along = Markup("").join(tag("span", t, style=f"left:{100 * x:.2f}%") for x, t in days.ticks())
    sides = tag("div", up, class_="axis-y", aria_hidden="true"), tag("div", along, class_="axis-x", aria_hidden="true")
    return tag("div", sides[0] + tag("div", image, class_="plot") + sides[1], class_="chart")


def _grid() -> Markup:
    return Markup("").join(line([(0, HEIGHT * i / 4), (WIDTH, HEIGHT * i / 4)], "grid") for i in range(5))


def _scale(values: Sequence[float]) -> tuple[float, float]:
    """Round ends of an axis around values, in four equal steps."""
    low, high = min(values), max(values)
    spread = (high - low) or abs(high) * 0.1 or 1.0
    step = 10 ** floor(log10(spread / 2))
    step = next(step * f for f in (1, 2, 2.5, 5, 10) if step * f * 3 >= spread)
    start = floor(low / step) * step
    while start + 4 * step < high:
        step *= 2
        start = floor(low / step) * step
    return start, start + 4 * step

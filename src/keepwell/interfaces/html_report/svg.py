"""Pieces of SVG. Shapes are stretched to the width they get; texts stay outside, in HTML, at a readable size."""

from collections.abc import Iterable, Sequence
from typing import Final

from markupsafe import Markup

WIDTH: Final = 1000.0
Point = tuple[float, float]


def tag(name: str, content: Markup | str = "", **attributes: object) -> Markup:
    """An element; everything that is not markup is escaped. `class_` is the class, underscores become hyphens."""
    given = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items() if value is not None)
    said = Markup("").join(Markup(' {}="{}"').format(key, value) for key, value in given)
    return Markup("<{0}{1}>{2}</{0}>").format(name, said, content)


def drawing(parts: Iterable[Markup], height: float, label: str, class_: str = "") -> Markup:
    """An SVG image that fills its box, with a name for those who cannot see it."""
    return tag(
        "svg",
        Markup("").join(parts),
        viewBox=f"0 0 {WIDTH:g} {height:g}",
        preserveAspectRatio="none",
        role="img",
        aria_label=label,
        class_=class_ or None,
    )


def rect(x: float, y: float, width: float, height: float, class_: str) -> Markup:
    """A rectangle."""
    return tag("rect", x=_n(x), y=_n(y), width=_n(max(width, 0.0)), height=_n(max(height, 0.0)), class_=class_)


def line(points: Sequence[Point], class_: str) -> Markup:
    """A line through points; its width does not stretch."""
    return tag("path", d=_through(points), class_=class_, vector_effect="non-scaling-stroke")


def area(top: Sequence[Point], bottom: Sequence[Point], class_: str) -> Markup:
    """The area between two lines."""
    back = " ".join(f"L{_n(x)} {_n(y)}" for x, y in reversed(bottom))
    return tag("path", d=f"{_through(top)} {back} Z", class_=class_)


def ribbon(left: tuple[float, float], right: tuple[float, float], ends: tuple[float, float], class_: str) -> Markup:
    """A band that flows from `left` (top, bottom) at ends[0] to `right` at ends[1]."""
    (a, b), (c, d), (x, z) = left, right, ends
    middle = (x + z) / 2
    over = f"M{_n(x)} {_n(a)} C{_n(middle)} {_n(a)} {_n(middle)} {_n(c)} {_n(z)} {_n(c)}"
    under = f"L{_n(z)} {_n(d)} C{_n(middle)} {_n(d)} {_n(middle)} {_n(b)} {_n(x)} {_n(b)} Z"
    return tag("path", d=f"{over} {under}", class_=class_)


def _through(points: Sequence[Point]) -> str:
    return " ".join(f"{'L' if i else 'M'}{_n(x)} {_n(y)}" for i, (x, y) in enumerate(points))


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")

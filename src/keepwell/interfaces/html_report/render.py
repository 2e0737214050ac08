"""Renders a gathered report as one HTML file. Everything from data is escaped; nothing is fetched."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from keepwell import __version__
from keepwell.interfaces.html_report.cards import cards
from keepwell.interfaces.html_report.charts import area_chart, change_bars, line_chart, share_bars
from keepwell.interfaces.html_report.colors import color_classes
from keepwell.interfaces.html_report.flow import flow_chart
from keepwell.reporting.movement import CHANGES, Move, Movement
from keepwell.reporting.report import Report
from keepwell.reporting.words import MINUS, count, day, money, number, percent

PACKAGE: Final = "keepwell.interfaces.html_report"
MOVES_SHOWN: Final = 8


def render_report(report: Report) -> str:
    """The report as the text of an HTML file that needs nothing else."""
    environment = _environment(report.about.currency)
    return environment.get_template("report.html.j2").render(_context(report))


def _environment(currency: str) -> Environment:
    loader = PackageLoader(PACKAGE)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    filters: Mapping[str, Callable[..., Any]] = {
        "money": partial(money, currency=currency),
        "percent": percent,
        "number": number,
        "fixed": _fixed,
        "day": day,
        "count": count,
        "person": _person,
    }
    environment.filters.update(filters)
    return environment


def _context(report: Report) -> dict[str, Any]:
    style = files(PACKAGE).joinpath("templates/report.css").read_text(encoding="utf-8")
    divided = [(division, color_classes(division.shares)) for division in report.divisions]
    main = divided[0] if divided else None
    words = partial(money, currency=report.about.currency)
    finer = [partial(words, finer=digits) for digits in (1, 2, 3)]
    health = [(point.as_of, point.score) for point in report.trend]
    return {
        "report": report,
        "about": report.about,
        "version": __version__,
        # The file is part of the package: it is ours, and must not be escaped.
        "style": Markup(style),  # noqa: S704
        "cards": cards(report),
        "bars": {division.by: share_bars(division.shares, classes) for division, classes in divided},
        "classes": {division.by: classes for division, classes in divided},
        "arr_line": line_chart([(p.as_of, p.arr) for p in report.trend], words, "ARR", finer=finer),
        "health_line": line_chart(health, number, report.about.score or "", "second") if report.about.score else None,
        "areas": area_chart(report.trend, main[0].shares, main[1], f"Share of customers, {main[0].title}")
        if main
        else "",
        "flows": {(d.by, m.first): flow_chart(m, d.shares, classes) for d, classes in divided for m in d.movements},
        "bridges": {m.first: _bridge(m, report.about.currency) for d, _ in divided[:1] for m in d.movements},
        "moves": {(d.by, m.first): top_moves(m) for d, _ in divided for m in d.movements},
    }


def top_moves(movement: Movement) -> list[Move]:
    """The moves that are changes, those of most customers first, not more than fit a page."""
    changed = [move for move in movement.moves if move.kind in CHANGES]
    return sorted(changed, key=lambda move: (-move.customers, -move.arr_after))[:MOVES_SHOWN]


def _bridge(movement: Movement, currency: str) -> Markup:
    totals = movement.totals
    changes = [
        ("Joined", totals.arr_joined, "good"),
        ("Expansion", totals.arr_expansion, "good"),
        ("Contraction", -totals.arr_contraction, "bad"),
        ("Left", -totals.arr_left, "bad"),
    ]
    if totals.arr_became_known or totals.arr_became_unknown:
        changes.append(("Became known", totals.arr_became_known - totals.arr_became_unknown, "gray"))

    def words(amount: float) -> str:
        text = money(amount, currency)
        return text if text.startswith(MINUS) else f"+{text}"

    return change_bars(changes, "What changed ARR", words)


def _fixed(value: float | None) -> str:
    """A score with one decimal, so that columns line up."""
    return "–" if value is None else f"{value:.1f}"


def _person(email: str) -> str:
    """An owner as a name to read: `maya.brandt@…` is Maya Brandt."""
    local = email.partition("@")[0]
    return " ".join(part.capitalize() for part in local.replace("_", ".").split(".") if part) or "–"

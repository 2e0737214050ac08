"""What a list can be filtered by: the groups that there are among the customers one may see, with their numbers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from keepwell.model.definitions import Model
from keepwell.scoring.scorecards import NOT_ENOUGH_DATA
from keepwell.services.published.copies import CURRENT, Copies
from keepwell.services.published.current_rows import TENURES
from keepwell.services.published.kept_models import NO_COLOR, band_colors, model_of, segment_shown, signal_shown
from keepwell.services.published.portfolio_query import CHURNED, Scope, scope_where
from keepwell.services.published.reader import read_copies, rows_of
from keepwell.services.workspace import Workspace

_UNASSIGNED_LABEL: Final = "No owner"
_COLUMNS: Final = {
    "bands": f"coalesce(band, '{NOT_ENOUGH_DATA}')",
    "segments": "unnest(segments)",
    "signals": "unnest(signals)",
    "owners": "coalesce(owner_key, '')",
    "industries": "industry",
    "tenures": "tenure",
    "plans": "plan",
}
_MOST: Final = 500


@dataclass(frozen=True)
class Choice:
    """One value of a filter."""

    name: str
    label: str
    color: str
    customers: int


Choices = tuple[Choice, ...]


@dataclass(frozen=True)
class PortfolioChoices:
    """The values of all filters. Bands come best first, tenures in order, all others by their labels."""

    bands: Choices
    segments: Choices
    signals: Choices
    owners: Choices
    industries: Choices
    tenures: Choices
    plans: Choices
    statuses: Choices


def portfolio_choices(workspace: Workspace, scope: Scope) -> PortfolioChoices:
    """The values that customers in a scope have."""

    def read(copies: Copies) -> PortfolioChoices:
        model = model_of(workspace, copies).model
        counts = {name: _counts(copies, scope, column, "status <> ?") for name, column in _COLUMNS.items()}
        counts["statuses"] = _counts(copies, scope, "status", "? IS NOT NULL")
        if copies.score is None:
            counts["bands"] = {}
        return PortfolioChoices(
            bands=_bands(model, copies, counts["bands"]),
            segments=tuple(_shown(counts["segments"], lambda name: segment_shown(model, name))),
            signals=tuple(_shown(counts["signals"], lambda name: (signal_shown(model, name), NO_COLOR))),
            owners=tuple(_shown(counts["owners"], lambda name: (name or _UNASSIGNED_LABEL, NO_COLOR))),
            industries=tuple(_shown(counts["industries"])),
            tenures=tuple(Choice(n, n, NO_COLOR, counts["tenures"][n]) for n in TENURES if n in counts["tenures"]),
            plans=tuple(_shown(counts["plans"])),
            statuses=tuple(_shown(counts["statuses"])),
        )

    return read_copies(workspace, read)


def _counts(copies: Copies, scope: Scope, column: str, who: str) -> dict[str, int]:
    where = scope_where(scope)
    found = rows_of(
        f"SELECT value, count(*) AS n FROM (SELECT {column} AS value FROM read_parquet(?) WHERE {who} AND {where.sql})"  # noqa: S608
        f" WHERE value IS NOT NULL GROUP BY 1 ORDER BY n DESC, 1 LIMIT {_MOST}",
        [copies.path(CURRENT), CHURNED, *where.values],
    )
    return {row["value"]: row["n"] for row in found}


def _bands(model: Model, copies: Copies, counts: dict[str, int]) -> Choices:
    colors = {**band_colors(model, copies.score), NOT_ENOUGH_DATA: NO_COLOR}
    # Bands without customers can be chosen all the same: a saved view of an empty band has to open.
    known = [Choice(name, name, color, counts.get(name, 0)) for name, color in colors.items()]
    others = [Choice(name, name, NO_COLOR, n) for name, n in counts.items() if name not in colors]
    return (*known, *others) if copies.score else ()


def _shown(
    counts: dict[str, int], label: Callable[[str], tuple[str, str]] = lambda name: (name, NO_COLOR)
) -> Iterator[Choice]:
    shown = [Choice(name, *label(name), n) for name, n in counts.items()]
    yield from sorted(shown, key=lambda choice: (choice.name == "", choice.label.casefold(), choice.name))

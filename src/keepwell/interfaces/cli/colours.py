"""Colours for bands, segments and severities."""

from typing import Final

from keepwell.model.definitions import Model

_COLOURS: Final = {
    "green": "green",
    "lime": "bright_green",
    "yellow": "yellow",
    "orange": "dark_orange",
    "red": "red",
    "gray": "bright_black",
}
_SEVERITIES: Final = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "info": "bright_black"}


def band_styles(model: Model) -> dict[str, str]:
    """The colour of every word that a table of this model may show."""
    bands = {band.name: _COLOURS[band.color] for score in model.scores.values() for band in score.bands}
    segments = {name: _COLOURS[segment.color] for name, segment in model.segments.items()}
    return _SEVERITIES | segments | bands

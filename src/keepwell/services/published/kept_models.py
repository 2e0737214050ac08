"""The model that the current copies were made with: read and compiled once, with its names, labels and colours."""

from functools import lru_cache
from pathlib import Path
from typing import Final

from keepwell.evaluation.compiled import CompiledModel, compile_model
from keepwell.model.definitions import Model
from keepwell.model.loader import LoadedModel
from keepwell.services.published.copies import Copies
from keepwell.services.workspace import Workspace

NO_COLOR: Final = "gray"


def model_of(workspace: Workspace, copies: Copies) -> CompiledModel:
    """The model of the copies, ready to evaluate."""
    return compile_model(kept_model(workspace, copies.model_hash))


def kept_model(workspace: Workspace, digest: str) -> LoadedModel:
    """A model that an earlier run used; the same object each time, so that it is compiled once."""
    return _kept(_Place(workspace), digest)


class _Place:
    """A workspace as a key: where its data lie, whatever else is set."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.path: Path = workspace.data_dir.resolve()

    def __hash__(self) -> int:
        return hash(self.path)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Place) and other.path == self.path


@lru_cache(maxsize=16)
def _kept(place: _Place, digest: str) -> LoadedModel:
    return place.workspace.kept_model(digest)


def band_colors(model: Model, score: str | None) -> dict[str, str]:
    """The bands of a score from the best to the worst, each with its colour."""
    definition = model.scores.get(score or "")
    if definition is None:
        return {}
    bands = sorted(definition.bands, key=lambda band: band.start, reverse=definition.kind != "risk")
    return {band.name: band.color for band in bands}


def segment_shown(model: Model, name: str) -> tuple[str, str]:
    """The label and the colour of a segment by its shown name; a segment per value is called like the value."""
    definition = model.segments.get(name)
    if definition is not None:
        return definition.label or name, definition.color
    key, separator, value = name.partition(": ")
    parent = model.segments.get(key)
    if not separator or parent is None:
        return name, NO_COLOR
    return f"{parent.label or key}: {value}", parent.color


def signal_shown(model: Model, name: str) -> str:
    """The label of a signal."""
    definition = model.signals.get(name)
    return (definition.label if definition else "") or name

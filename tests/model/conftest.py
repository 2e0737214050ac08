"""Small models on disk, and the problems that loading them reports."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from keepwell.model.loader import LoadedModel, load_model
from keepwell.model.problems import DefinitionError
from keepwell.warehouse.columns import TABLE_COLUMNS

Write = Callable[..., Path]
Problems = Callable[..., list[str]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files of one model; a text alone is `model.yaml`."""

    def write_files(text: str = "", **files: str) -> Path:
        for name, content in (({"model": text} if text else {}) | files).items():
            (tmp_path / f"{name}.yaml").write_text(dedent(content).lstrip("\n"), encoding="utf-8")
        return tmp_path

    return write_files


@pytest.fixture
def load(write: Write) -> Callable[..., LoadedModel]:
    """Load a model given as text."""
    return lambda text="", **files: load_model(write(text, **files), shown="m", tables=TABLE_COLUMNS)


@pytest.fixture
def problems(load: Callable[..., LoadedModel]) -> Problems:
    """Everything that loading reports, errors and warnings, as printed."""

    def report(text: str = "", **files: str) -> list[str]:
        try:
            return [str(p) for p in load(text, **files).problems]
        except DefinitionError as error:
            return [str(p) for p in error.problems]

    return report

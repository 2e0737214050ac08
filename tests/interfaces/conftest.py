"""One small world and two computed workspaces for all tests of the command line."""

import shutil
from pathlib import Path

import pytest

from keepwell.services.workspace import workspace_open
from tests.interfaces.cli_world import FIRST, LAST, keepwell, loaded_workspace, small_world
from tests.worlds import copied, take_warehouse


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of the small world."""
    return small_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory, world: Path) -> Path:
    """A b2b-saas workspace with data and without snapshots; copy it before changing it."""
    folder = tmp_path_factory.mktemp("loaded") / "ws"
    return copied("cli-loaded", folder, lambda made: loaded_workspace(made, world, "b2b-saas"))


@pytest.fixture(scope="session")
def scored(tmp_path_factory: pytest.TempPathFactory, loaded: Path) -> Path:
    """The same with twenty published days; only read it."""

    def make(folder: Path) -> None:
        shutil.copytree(loaded, folder)
        ran = keepwell("-w", folder, "backfill", "--from", FIRST, "--to", LAST)
        assert ran.code == 0, ran.err

    return copied("cli-scored", tmp_path_factory.mktemp("scored") / "ws", make)


@pytest.fixture(scope="session")
def signals(tmp_path_factory: pytest.TempPathFactory, loaded: Path) -> Path:
    """An agency-signals workspace with two published days; only read it."""

    def make(folder: Path) -> None:
        assert keepwell("init", folder, "--pack", "agency-signals").code == 0
        take_warehouse(loaded / "data", workspace_open(folder))
        assert keepwell("-w", folder, "backfill", "--from", LAST.replace(day=29), "--to", LAST).code == 0

    return copied("cli-signals", tmp_path_factory.mktemp("signals") / "ws", make)


@pytest.fixture
def copy(tmp_path: Path, loaded: Path) -> Path:
    """A loaded workspace of one's own."""
    shutil.copytree(loaded, tmp_path / "ws")
    return tmp_path / "ws"

"""Two small computed workspaces, made once: one with scores, one with segments only."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from keepwell.services.loading import load_files
from keepwell.services.runs import backfill_days
from keepwell.services.workspace import Workspace, workspace_init, workspace_open
from keepwell.simulation import simulate_world

LAST = date(2026, 6, 30)
NOW = datetime(2026, 7, 1, 8, tzinfo=UTC)


def computed(folder: Path, world: Path, pack: str, days: int) -> Workspace:
    workspace = workspace_init(folder, pack=pack)
    load_files(workspace, paths=[world], now=NOW)
    backfill_days(workspace, first=LAST - timedelta(days=days - 1), last=LAST)
    return workspace


@pytest.fixture(scope="session")
def planning_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate_world(out=tmp_path_factory.mktemp("planning"), customers=60, days=70, end=LAST, seed=11).out


@pytest.fixture(scope="session")
def scored(tmp_path_factory: pytest.TempPathFactory, planning_world: Path) -> Workspace:
    """A b2b-saas workspace with three published days; only read it."""
    return computed(tmp_path_factory.mktemp("scored") / "ws", planning_world, "b2b-saas", 3)


@pytest.fixture(scope="session")
def grouped(tmp_path_factory: pytest.TempPathFactory, planning_world: Path) -> Workspace:
    """An agency-signals workspace with every day of its data published; only read it."""
    return computed(tmp_path_factory.mktemp("grouped") / "ws", planning_world, "agency-signals", 70)


@pytest.fixture
def own(tmp_path: Path, scored: Workspace) -> Workspace:
    """A computed workspace of one's own."""
    shutil.copytree(scored.root, tmp_path / "ws")
    return workspace_open(tmp_path / "ws")

"""Two small computed workspaces, made once: one with scores, one with segments only."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from keepwell.services.loading import load_files
from keepwell.services.runs import backfill_days
from keepwell.services.workspace import Workspace, workspace_init, workspace_open
from keepwell.simulation import simulate_world
from tests.worlds import copied, take_warehouse

LAST = date(2026, 6, 30)
NOW = datetime(2026, 7, 1, 8, tzinfo=UTC)


def computed(workspace: Workspace, days: int) -> Workspace:
    backfill_days(workspace, first=LAST - timedelta(days=days - 1), last=LAST)
    return workspace


def with_scores(folder: Path) -> Workspace:
    workspace = workspace_init(folder, pack="b2b-saas")
    world = simulate_world(out=folder.with_suffix(".world"), customers=60, days=70, end=LAST, seed=11).out
    load_files(workspace, paths=[world], now=NOW)
    return computed(workspace, 3)


@pytest.fixture(scope="session")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A b2b-saas workspace with three published days; only read it."""
    return workspace_open(copied("planning-scored", tmp_path_factory.mktemp("scored") / "ws", with_scores))


@pytest.fixture(scope="session")
def grouped(tmp_path_factory: pytest.TempPathFactory, scored: Workspace) -> Workspace:
    """An agency-signals workspace with every day of its data published; only read it."""

    def made(folder: Path) -> Workspace:
        return computed(take_warehouse(scored.data_dir, workspace_init(folder, pack="agency-signals")), 70)

    return workspace_open(copied("planning-grouped", tmp_path_factory.mktemp("grouped") / "ws", made))


@pytest.fixture
def own(tmp_path: Path, scored: Workspace) -> Workspace:
    """A computed workspace of one's own."""
    shutil.copytree(scored.root, tmp_path / "ws")
    return workspace_open(tmp_path / "ws")

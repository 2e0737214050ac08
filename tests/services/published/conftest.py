"""Small published workspaces, made once, and a bare one to load into."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from keepwell.services.loading import load_files
from keepwell.services.published import publish_copies
from keepwell.services.runs import backfill_days, run_day
from keepwell.services.workspace import Workspace, workspace_init, workspace_open
from keepwell.simulation import simulate_world
from tests.worlds import copied, take_warehouse

LAST = date(2026, 6, 30)
DAYS = 40
NOW = datetime(2026, 7, 1, 8, tzinfo=UTC)


@pytest.fixture(scope="session")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A published workspace with scores; only read it."""
    return workspace_open(copied("published-scored", tmp_path_factory.mktemp("scored") / "ws", _with_scores))


@pytest.fixture(scope="session")
def grouped(tmp_path_factory: pytest.TempPathFactory, scored: Workspace) -> Workspace:
    """A published workspace with segments and no score; only read it."""

    def made(folder: Path) -> None:
        _published(take_warehouse(scored.data_dir, workspace_init(folder, pack="agency-signals")))

    return workspace_open(copied("published-grouped", tmp_path_factory.mktemp("grouped") / "ws", made))


@pytest.fixture
def own(tmp_path: Path, scored: Workspace) -> Workspace:
    """A published workspace of one's own."""
    shutil.copytree(scored.root, tmp_path / "ws")
    return workspace_open(tmp_path / "ws")


@pytest.fixture
def bare(tmp_path: Path, bare_once: Workspace) -> Workspace:
    """Three customers and some tickets of whom nobody knows, published for one day."""
    shutil.copytree(bare_once.root, tmp_path / "ws")
    return workspace_open(tmp_path / "ws")


@pytest.fixture(scope="session")
def bare_once(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The same, to copy."""
    workspace = workspace_init(tmp_path_factory.mktemp("bare") / "ws", pack="b2b-saas")
    put(workspace, "customers.csv", "customer_id,name,domain,email,mrr", "c-1,Acme,acme.example,,100",
        "c-2,Beta,beta.example,hello@beta.example,50", "c-3,Gamma,,,10")  # fmt: skip
    put(workspace, "tickets.csv", "ticket_id,customer_id,created_at,csat", "t-1,c-1,2026-06-01 10:00,5",
        "t-2,C_1,2026-06-02 10:00,4", "t-3,nobody,2026-06-03 10:00,", "t-4,c-2,yesterday,")  # fmt: skip
    load_files(workspace, paths=[workspace.root / "in"], now=NOW)
    run_day(workspace, as_of=LAST)
    publish_copies(workspace)
    return workspace


def put(workspace: Workspace, name: str, *lines: str) -> Path:
    """A file to load into a workspace."""
    path = workspace.root / "in" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def _with_scores(folder: Path) -> None:
    workspace = workspace_init(folder, pack="b2b-saas")
    world = simulate_world(out=folder.with_suffix(".world"), customers=50, days=60, end=LAST, seed=7).out
    load_files(workspace, paths=[world], now=NOW)
    _published(workspace)


def _published(workspace: Workspace) -> None:
    backfill_days(workspace, first=LAST - timedelta(days=DAYS - 1), last=LAST)
    publish_copies(workspace)

"""Shared by the tests of reports: a folder for snapshots and shipped packs."""

from pathlib import Path

import pytest

from keepwell.model.loader import LoadedModel
from keepwell.model.packs import resolve_model
from keepwell.warehouse.snapshots import Snapshots


@pytest.fixture
def snapshots(tmp_path: Path) -> Snapshots:
    return Snapshots(tmp_path / "snapshots")


@pytest.fixture(scope="session")
def tiers() -> LoadedModel:
    return resolve_model("portfolio-segments")


@pytest.fixture(scope="session")
def agency() -> LoadedModel:
    return resolve_model("agency-signals")

from collections.abc import Iterator
from pathlib import Path

import pytest

from keepwell.warehouse.storage import Warehouse

from .helpers import csv_text, load, put


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    """An empty warehouse whose days are days in UTC."""
    with Warehouse.open(tmp_path / "data", zone="UTC") as opened:
        yield opened


@pytest.fixture
def stocked(warehouse: Warehouse, tmp_path: Path) -> Warehouse:
    """A warehouse with the customers c1 and c2."""
    load(warehouse, put(tmp_path / "stock", "customers.csv", csv_text("customer_id,name", "c1,Acme", "c2,Beta")))
    return warehouse

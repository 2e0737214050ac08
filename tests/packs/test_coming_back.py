"""A login that a file brings ends ladders: every pack knows when somebody logged in last."""

import pytest

from keepwell.model.packs import pack_directory, pack_names, resolve_model
from keepwell.services.team.playing.days import LOGIN_DAYS
from keepwell.warehouse.columns import TABLE_COLUMNS


@pytest.mark.parametrize("name", pack_names())
def test_every_pack_knows_the_last_login(name: str) -> None:
    model = resolve_model(pack_directory(name), tables=TABLE_COLUMNS).model
    assert any(metric in model.metrics for metric in LOGIN_DAYS)

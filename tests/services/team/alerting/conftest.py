"""Fixtures of the workspace, see tests/web.py; and a follower that has heard nothing yet."""

from collections.abc import Iterator

import pytest

from keepwell.services.team.alerting import follow
from keepwell.services.workspace import Workspace
from tests.services.team.alerting.told import clean
from tests.web import client_of, person, published, signals

__all__ = ["client_of", "person", "published", "signals"]


@pytest.fixture
def fresh(published: Workspace) -> Iterator[None]:
    """No journal of an earlier test, before and after."""
    clean(published)
    follow._follower.cache_clear()
    yield
    clean(published)

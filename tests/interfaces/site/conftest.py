"""Fixtures of the workspace; see tests/web.py."""

from tests.interfaces.api.conftest import program
from tests.interfaces.workspace.test_hostile_names import hostile
from tests.web import client_of, person, published, signals

__all__ = ["client_of", "hostile", "person", "program", "published", "signals"]

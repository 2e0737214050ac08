"""Fixtures of the workspace; see tests/web.py."""

from tests.web import client_of, person, published

__all__ = ["client_of", "person", "published"]

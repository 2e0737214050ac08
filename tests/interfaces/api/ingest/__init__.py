"""Tests of what other programs send as it happens."""

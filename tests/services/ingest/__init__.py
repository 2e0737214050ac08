"""Tests of events as they happen: journal, mapping, loading."""

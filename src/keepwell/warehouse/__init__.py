"""Canonical tables, loading, quarantine, published snapshots."""

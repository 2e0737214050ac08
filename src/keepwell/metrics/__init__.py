"""Metric definitions to plans, SQL and values; incremental state; backfill."""

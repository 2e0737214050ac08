"""The verbs: load, run, backfill, explain, report."""

"""Profiles, movement, retention, KPIs: tables and figures, no HTML."""

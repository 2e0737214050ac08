"""Detected conditions: risk, alert, expansion."""

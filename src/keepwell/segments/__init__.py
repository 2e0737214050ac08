"""Segment membership with its reasons."""

"""Ratios of the engine against its floor, with equality checked first."""

"""Keepwell: customer health, risk and segments that you own, on your own data."""

__version__ = "0.1.0"

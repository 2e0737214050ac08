"""Tests of the shipped packs."""

"""Definitions of a model: YAML with positions, validation, JSON Schema."""

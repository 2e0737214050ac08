"""The keepwell command."""

"""Keepwell: customer health, risk and segments that you own, on your own data."""

from keepwell.interfaces.python import Pack, load_pack

__all__ = ["Pack", "__version__", "load_pack"]
__version__ = "0.1.0"

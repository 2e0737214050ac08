"""Keepwell: customer health, risk and segments that you own, on your own data."""

from keepwell.interfaces.python import OpenedWorkspace, Pack, load_pack
from keepwell.interfaces.python import open_workspace as open

__all__ = ["OpenedWorkspace", "Pack", "__version__", "load_pack", "open"]
__version__ = "0.1.0"

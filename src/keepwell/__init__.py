"""Keepwell: customer health, risk and segments that you own, on your own data."""

import os

# Before numpy is imported, which reads it then: numpy asks for huge pages for arrays of 4 MB and more. Those of a
# backfill come and go, and clearing 2 MB each time costs it some of its time among 20,000 customers (docs/figures.md).
os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")

from keepwell.interfaces.python import OpenedWorkspace, Pack, load_pack
from keepwell.interfaces.python import open_workspace as open

__all__ = ["OpenedWorkspace", "Pack", "__version__", "load_pack", "open"]
__version__ = "0.1.0"

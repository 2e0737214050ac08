"""Loading files into the canonical tables."""

from keepwell.warehouse.loading.mapping import Mapping, read_mapping
from keepwell.warehouse.loading.pipeline import load_paths
from keepwell.warehouse.loading.report import FileReport, LoadReport, Progress, ProgressStep, QuarantinedRow

__all__ = [
    "FileReport",
    "LoadReport",
    "Mapping",
    "Progress",
    "ProgressStep",
    "QuarantinedRow",
    "load_paths",
    "read_mapping",
]

"""Loading files into the canonical tables."""

from keepwell.warehouse.loading.pipeline import load_paths
from keepwell.warehouse.loading.report import FileReport, LoadReport, Progress, ProgressStep, QuarantinedRow

__all__ = ["FileReport", "LoadReport", "Progress", "ProgressStep", "QuarantinedRow", "load_paths"]

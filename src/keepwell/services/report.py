"""The report of a workspace: gathered from its snapshots, rendered by whoever asks, written in one step."""

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path

from keepwell.reporting.reading import latest_day
from keepwell.reporting.report import Report, gather_report
from keepwell.services.workspace import Workspace, WorkspaceError


def report_gather(workspace: Workspace, *, as_of: date | None = None) -> Report:
    """The report of the last snapshot up to `as_of`, read with the model that made it; ReportError without one."""
    snapshots = workspace.snapshots
    day = latest_day(snapshots, as_of)
    loaded, digest = workspace.model(), snapshots.about(day).get("keepwell.model_hash", "")
    if digest and digest != loaded.hash:
        # Without the kept one the workspace's model reads it, and the report says that they differ.
        with suppress(WorkspaceError):
            loaded = workspace.kept_model(digest)
    return gather_report(snapshots, loaded, day, workspace=workspace.name, currency=workspace.currency)


def write_report(
    workspace: Workspace, *, as_of: date | None = None, path: Path | None = None, render: Callable[[Report], str]
) -> Path:
    """Write the report to `path`, `report-DATE.html` in the workspace if left out, and return where it is."""
    report = report_gather(workspace, as_of=as_of)
    target = path or workspace.root / f"report-{report.about.as_of}.html"
    text = render(report)
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        fresh.write_text(text, encoding="utf-8")
        os.replace(fresh, target)
    finally:
        fresh.unlink(missing_ok=True)
    return target

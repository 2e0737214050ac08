"""Publishing: what the pages read is copied out of the warehouse, so that reading never waits for writing."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from keepwell.evaluation.compiled import compile_model
from keepwell.services.published.copies import (
    Copies,
    copies_current,
    copies_root,
    kept_copies,
    reuse_part,
    write_version,
)
from keepwell.services.published.current_rows import write_current
from keepwell.services.published.customer_files import FILES, write_customers
from keepwell.services.published.month_files import (
    Facts,
    digest,
    history_parts,
    kept_dates,
    kept_facts,
    usage_parts,
    write_history,
    write_usage,
)
from keepwell.services.published.status_files import write_status
from keepwell.services.reading import read_published
from keepwell.services.workspace import Workspace
from keepwell.warehouse.storage import Warehouse

_FORM: Final = "1"
"""Changes with the form of the files, so that copies in an older form are written anew."""
_CUSTOMERS_FORM: Final = "3"


def publish_copies(workspace: Workspace, on_wait: Callable[[str], None] | None = None) -> Copies:
    """Copy what the pages read and make it current in one step; nothing is written when nothing has changed.

    Raises WorkspaceError when no date is published, WarehouseBusy when the warehouse stays in use.
    """
    read_published(workspace)
    with workspace.warehouse("publish", on_wait) as warehouse:
        return publish_from(workspace, warehouse)


def publish_from(workspace: Workspace, warehouse: Warehouse) -> Copies:
    """Publish from a warehouse that is open already."""
    facts = kept_facts(warehouse, read_published(workspace).as_of)
    copies = _planned(workspace, warehouse, facts)
    current = copies_current(workspace)
    if current is not None and current.version == copies.version:
        return current
    kept = kept_copies(workspace)

    def write(folder: Path) -> None:
        write_current(workspace, warehouse, copies, folder)
        write_history(workspace, warehouse, copies, kept, folder)
        write_usage(warehouse, copies, facts, kept, folder)
        if not all(reuse_part(name, copies.parts[name], kept, folder / name) for name in FILES):
            _emptied(folder)
            write_customers(warehouse, folder)
        write_status(workspace, warehouse, copies, folder)

    return write_version(workspace, copies, write)


def _emptied(folder: Path) -> None:
    """Never write through a link into the file of an earlier version."""
    for name in FILES:
        (folder / name).unlink(missing_ok=True)


def _planned(workspace: Workspace, warehouse: Warehouse, facts: Facts) -> Copies:
    """The version that the present data make: its name depends on them alone."""
    published = read_published(workspace)
    compiled = compile_model(published.model)
    dates = kept_dates(workspace, published.as_of)
    scores = compiled.health(), compiled.churn_risk()
    loads, links, rest = _states(warehouse)
    parts = {
        **history_parts(workspace, dates, scores),
        **usage_parts(facts),
        **dict.fromkeys(FILES, digest(_CUSTOMERS_FORM, loads, links)),
    }
    settings = workspace.currency, workspace.zone, published.as_of.isoformat(), compiled.loaded.hash
    found = digest(_FORM, loads, links, rest, *settings, *(f"{name} {made}" for name, made in sorted(parts.items())))
    version = f"{published.as_of}-{found}"
    return Copies(
        version=version,
        as_of=published.as_of,
        folder=copies_root(workspace) / version,
        model_hash=compiled.loaded.hash,
        score=scores[0],
        risk=scores[1],
        dates=dates,
        state=loads,
        parts=parts,
    )


def _states(warehouse: Warehouse) -> tuple[str, str, str]:
    """What has been loaded, which ids are linked, and what else the state of the data shows."""
    run = warehouse.connection.execute
    loads = run("SELECT count(*), max(load_id), max(loaded_at) FROM loads").fetchone()
    waiting = run("SELECT state, count(*) FROM quarantine GROUP BY 1 ORDER BY 1").fetchall()
    links = run("SELECT unknown_id, customer_id FROM identity_links ORDER BY 1").fetchall()
    return repr(loads), repr(links), repr(waiting)

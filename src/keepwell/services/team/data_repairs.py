"""The worker's part of repairing data: rows that wait are corrected and tried again, ids are linked and unlinked."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from keepwell.services.ingest.belonging import Belonging
from keepwell.services.published import RetryReport, link_identity, retry_quarantine, unlink_identity
from keepwell.services.published.quarantined import MOST_ROWS, Group, group_rows, replacements
from keepwell.services.team.alerting.waiting import hear_again
from keepwell.services.team.jobs import Done
from keepwell.services.team.running import Running


def run_retry(running: Running) -> Done:
    """One repair, as it was asked for. Done again it changes nothing more."""
    return _REPAIRS[running.job.arguments["do"]](running, running.job.arguments)


def _retry_all(running: Running, _: Mapping[str, Any]) -> Done:
    running.step("Trying all rows again", 0.1)
    return _tried(retry_quarantine(running.workspace, now=running.now(), on_wait=running.waits))


def _retry_keys(running: Running, asked: Mapping[str, Any]) -> Done:
    return _keys_tried(running, asked["keys"])


def _retry_group(running: Running, asked: Mapping[str, Any]) -> Done:
    running.step("Finding the rows", 0.1)
    return _keys_tried(running, [row.key for row in group_rows(running.workspace, Group(**asked["group"]))])


def _keys_tried(running: Running, keys: list[str]) -> Done:
    running.step(f"Trying {len(keys):,} rows again", 0.3)
    return _tried(retry_quarantine(running.workspace, now=running.now(), keys=keys, on_wait=running.waits))


def _correct(running: Running, asked: Mapping[str, Any]) -> Done:
    return _corrected(running, asked["corrections"])


def _replace(running: Running, asked: Mapping[str, Any]) -> Done:
    running.step("Finding the rows", 0.1)
    return _corrected(running, replacements(running.workspace, Group(**asked["group"]), asked["values"]))


def _corrected(running: Running, corrections: Mapping[str, Mapping[str, str]]) -> Done:
    if not corrections:
        return Done(_counts(RetryReport(0, 0, 0)), ("None of these rows waits any more.",), problems=True)
    running.step(f"Trying {len(corrections):,} corrected rows", 0.3)
    done = _tried(
        retry_quarantine(running.workspace, now=running.now(), corrections=corrections, on_wait=running.waits)
    )
    if len(corrections) < MOST_ROWS:
        return done
    return Done(done.counts, (*done.warnings, f"{MOST_ROWS:,} rows were tried; ask again for the rest."), problems=True)


def _link(running: Running, asked: Mapping[str, Any]) -> Done:
    running.step("Loading the rows that waited", 0.3)
    unknown_id, customer_id = asked["unknown_id"], asked["customer_id"]
    report = link_identity(running.workspace, unknown_id, customer_id, now=running.now(), on_wait=running.waits)
    heard = hear_again(running.workspace, Belonging(), running.now(), links={unknown_id: customer_id})
    counts = {"rows loaded": report.rows} | ({"events heard": heard} if heard else {})
    return Done(counts, report.problems, problems=bool(report.problems))


def _unlink(running: Running, asked: Mapping[str, Any]) -> Done:
    running.step("Forgetting the link", 0.3)
    gone = unlink_identity(running.workspace, asked["unknown_id"], on_wait=running.waits)
    return Done({"links forgotten": int(gone)})


def _tried(report: RetryReport) -> Done:
    left = report.tried - report.resolved
    still = (f"{left:,} of the rows are still wrong; each waits with the reason it has now.",) if left > 0 else ()
    return Done(_counts(report), (*report.problems, *still), problems=bool(report.problems or still))


def _counts(report: RetryReport) -> dict[str, Any]:
    return {"rows tried": report.tried, "rows loaded": report.resolved, "rows waiting": report.waiting}


_REPAIRS: Final[Mapping[str, Callable[[Running, Mapping[str, Any]], Done]]] = {
    "all": _retry_all,
    "keys": _retry_keys,
    "group": _retry_group,
    "correct": _correct,
    "replace": _replace,
    "link": _link,
    "unlink": _unlink,
}

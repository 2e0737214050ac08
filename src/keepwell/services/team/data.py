"""What people do about the data: upload files, correct and retry rows that wait, say whose an unknown id is."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from keepwell.services.published import QuarantinedRow, customer_owner
from keepwell.services.published.quarantined import Group, is_correctable
from keepwell.services.team.audit import Actor, record
from keepwell.services.team.jobs import job_enqueue
from keepwell.services.workspace import Workspace
from keepwell.store.models import Job

MOST_KEYS: Final = 1_000
_SHOWN: Final = 60


class DataRefused(Exception):  # noqa: N818  it is an answer, not a fault
    """A repair that cannot be asked for; the message says why."""


def retry_ask(who: Actor, *, group: Group | None = None, keys: Sequence[str] = (), now: datetime) -> Job:
    """Try rows again as they are: those with these keys, those of a group, or all that wait."""
    if len(keys) > MOST_KEYS:
        raise DataRefused(f"At most {MOST_KEYS:,} chosen rows at once; try the whole group instead.")
    if group is not None:
        return _ask(who, {"do": "group", "group": asdict(group)}, f"Retry {group.table}: {group.reason}", now)
    if keys:
        return _ask(who, {"do": "keys", "keys": sorted(keys)}, f"Retry {_rows(len(keys))}", now)
    return _ask(who, {"do": "all"}, "Retry all rows in quarantine", now)


def correct_ask(who: Actor, row: QuarantinedRow, cells: Mapping[str, str], *, now: datetime) -> Job:
    """Change cells of one row and try it again. Raises DataRefused."""
    if not is_correctable(row):
        raise DataRefused(f"This row cannot be corrected here: correct it in {row.file} and load the file again.")
    unknown = [name for name in cells if name not in row.row]
    if unknown:
        raise DataRefused(f"The row has no column {unknown[0]}.")
    if not cells:
        return retry_ask(who, keys=[row.key], now=now)
    arguments = {"do": "correct", "corrections": {row.key: dict(cells)}}
    before = {name: row.row[name] for name in cells}
    return _ask(who, arguments, f"Correct line {row.line} of {row.table}", now, before=before, after=dict(cells))


def replace_ask(who: Actor, group: Group, values: Mapping[str, str], *, now: datetime) -> Job:
    """Put one value for another into the column of a group, wherever it stands, and try the rows again."""
    if not group.column:
        raise DataRefused("These rows are wrong as a whole, not in one column; correct them one by one.")
    changed = {old: new for old, new in values.items() if old != new}
    if not changed:
        raise DataRefused("Enter what should stand there instead for at least one value.")
    arguments = {"do": "replace", "group": asdict(group), "values": changed}
    return _ask(who, arguments, f"Replace values of {group.table}.{group.column}", now, after=changed)


def link_ask(who: Actor, workspace: Workspace, unknown_id: str, customer_id: str, *, now: datetime) -> Job:
    """Let an unknown id stand for a customer from now on, and load the rows that waited for it. Raises DataRefused."""
    if not unknown_id.strip():
        raise DataRefused("An empty id cannot be linked; correct the rows instead.")
    if customer_owner(workspace, unknown_id) is not None:
        raise DataRefused(f"“{unknown_id}” is a customer itself; only an id that no customer has can be linked.")
    if customer_owner(workspace, customer_id) is None:
        raise DataRefused(f"There is no customer “{customer_id}”.")
    arguments = {"do": "link", "unknown_id": unknown_id, "customer_id": customer_id}
    return _ask(who, arguments, f"Link {unknown_id} to {customer_id}", now, customer_id=customer_id, after=customer_id)


def unlink_ask(who: Actor, unknown_id: str, customer_id: str, *, now: datetime) -> Job:
    """Forget a link for later loads; what it loaded stays."""
    arguments = {"do": "unlink", "unknown_id": unknown_id}
    return _ask(who, arguments, f"Unlink {unknown_id} from {customer_id}", now, customer_id, before=customer_id)


@transaction.atomic
def _ask(
    who: Actor,
    arguments: dict[str, Any],
    name: str,
    now: datetime,
    customer_id: str = "",
    before: Any = None,
    after: Any = None,
) -> Job:
    """A repair that waits already is not asked for twice."""
    standing = Job.objects.filter(kind=Job.Kind.RETRY, arguments=arguments, state=Job.State.QUEUED).first()
    if standing is not None:
        return standing
    said = re.sub(r"\s+", " ", name.replace("·", "-")).strip()
    short = said if len(said) <= _SHOWN else said[: _SHOWN - 1] + "…"
    key = f"{short} · asked {now:%Y-%m-%d %H:%M:%S.%f}"
    job, _ = job_enqueue(who, kind=Job.Kind.RETRY, key=key, arguments=arguments, now=now)
    record(
        who,
        at=now,
        action=f"data.{_ACTIONS[arguments['do']]}",
        kind="data",
        object_id=arguments.get("unknown_id", job.pk),
        summary=said,
        customer_id=customer_id,
        before=before,
        after=after,
    )
    return job


_ACTIONS: Final = {
    "all": "retried",
    "group": "retried",
    "keys": "retried",
    "correct": "corrected",
    "replace": "corrected",
    "link": "linked",
    "unlink": "unlinked",
}


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number:,} rows"

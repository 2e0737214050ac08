"""A small workspace of one's own whose data have faults, and a worker that does what was asked for at once."""

import shutil
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from keepwell.services.loading import load_files
from keepwell.services.published import publish_copies
from keepwell.services.runs import run_day
from keepwell.services.team.jobs import job_claim
from keepwell.services.team.perform import perform
from keepwell.services.workspace import Workspace, workspace_init, workspace_open
from keepwell.store.models import Job
from tests.web import LAST

LATER = datetime(2027, 7, 1, 9, tzinfo=UTC)
FILES = {
    "customers.csv": "customer_id,name,domain,email,mrr,status\nc-1,Acme,acme.example,,100,active\n"
    "c-2,Beta <b>,beta.example,hello@beta.example,50,active\nc-3,Gamma,,,10,active\n",
    "tickets.csv": "ticket_id,customer_id,created_at,csat\nt-1,c-1,2026-06-01 10:00,5\nt-2,C_1,2026-06-02 10:00,4\n"
    "t-3,nobody,2026-06-03 10:00,\nt-4,c-2,yesterday,\nt-5,c-2,yesterday,3\nt-6,c-2,soon,3\n",
}


def faulty_workspace(folder: Path) -> Workspace:
    """Three customers and six tickets: two of ids that no customer has, three at no moment."""
    shutil.copytree(_faulty_once(), folder / "ws")
    return workspace_open(folder / "ws")


@lru_cache
def _faulty_once() -> Path:
    root = Path(settings.KEEPWELL_WORKSPACE).parent / "faulty"
    workspace = workspace_init(root, pack="b2b-saas", currency="EUR")
    for name, text in FILES.items():
        (root / name).write_text(text)
    now = datetime(2026, 7, 1, 8, tzinfo=UTC)
    load_files(workspace, paths=[root / name for name in FILES], now=now)
    run_day(workspace, as_of=LAST)
    publish_copies(workspace)
    return root


def work_off(workspace: Workspace) -> Job:
    """Do the job that waits; returns it as it ended."""
    job = job_claim("tests", LATER)
    assert job is not None
    perform(workspace, job, now=lambda: LATER)
    job.refresh_from_db()
    return job

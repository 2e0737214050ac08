"""Work in the background."""

from typing import Annotated, Any, Literal

from ninja import Router, Schema, Status
from pydantic import Field

from keepwell.interfaces.api.fields import KEYED, Day, Pk
from keepwell.interfaces.api.idempotency import idempotent
from keepwell.interfaces.api.paging import Limit, Offset, Page, page_of
from keepwell.interfaces.api.problems import PROBLEMS, Problem
from keepwell.interfaces.api.security import JOBS, ApiRequest, acting
from keepwell.interfaces.api.task_bodies import JobBody, JobKind, JobState
from keepwell.services.team.job_requests import backfill_ask, job_again, load_ask, publish_ask, run_ask
from keepwell.services.team.jobs import job_cancel
from keepwell.store.models import Job

router = Router(tags=["Jobs"], auth=JOBS)


class JobNew(Schema):
    """What to do: `daily` a day's run, `backfill` a range of days, `load` the inbox, `publish` the copies."""

    kind: Annotated[Literal["daily", "backfill", "load", "publish"], Field(description="What to do.")]
    as_of: Day | None = Field(None, description="The day of a daily run; today if left out.")
    first: Day | None = Field(None, description="The first day of a backfill.")
    last: Day | None = Field(None, description="The last day of a backfill.")


@router.get("", response={200: Page[JobBody], **PROBLEMS})
def list_jobs(
    request: ApiRequest, limit: Limit, offset: Offset, kind: JobKind | None = None, state: JobState | None = None
) -> Any:
    """All work, the newest first."""
    found = Job.objects.order_by("-pk")
    found = found.filter(kind=kind) if kind else found
    found = found.filter(state=state) if state else found
    shown = found.select_related("requested_by")[offset : offset + limit]
    return page_of([JobBody.from_orm(job) for job in shown], found.count(), limit, offset)


@router.post("", response={202: JobBody, **PROBLEMS}, openapi_extra=KEYED)
@idempotent
def start_job(request: ApiRequest, body: JobNew) -> Any:
    """Ask the worker for something; the job that waits already, where there is one."""
    return Status(202, JobBody.from_orm(_asked(request, body)))


@router.get("/{int:job_id}", response={200: JobBody, **PROBLEMS})
def get_job(request: ApiRequest, job_id: Pk) -> Any:
    """One job: what it does or did, and what came of it."""
    return _job(job_id)


@router.post("/{int:job_id}/cancel", response={200: JobBody, **PROBLEMS}, openapi_extra=KEYED)
@idempotent
def cancel_job(request: ApiRequest, job_id: Pk) -> Any:
    """Cancel a job: at once while it waits, within seconds while it runs."""
    if not job_cancel(acting(request), _job(job_id).pk, request.now):
        raise Problem(409, "Not possible", "This job has ended or is being cancelled already.")
    return JobBody.from_orm(_job(job_id))


@router.post("/{int:job_id}/again", response={202: JobBody, **PROBLEMS}, openapi_extra=KEYED)
@idempotent
def repeat_job(request: ApiRequest, job_id: Pk) -> Any:
    """The same work once more, as a job of its own."""
    return Status(202, JobBody.from_orm(job_again(acting(request), _job(job_id), today=request.today, now=request.now)))


def _job(job_id: int) -> Job:
    found = Job.objects.select_related("requested_by").filter(pk=job_id).first()
    if found is None:
        raise Problem(404, "Not found", "There is no such job.")
    return found


def _asked(request: ApiRequest, body: JobNew) -> Job:
    who, today, now = acting(request), request.today, request.now
    match body.kind:
        case "daily":
            return run_ask(who, day=body.as_of or today, today=today, now=now)
        case "load":
            return load_ask(who, now=now)
        case "publish":
            return publish_ask(who, now=now)
    if body.first is None or body.last is None:
        raise Problem(422, "Request cannot be used", "A backfill needs the first and the last day.")
    return backfill_ask(who, first=body.first, last=body.last, today=today, now=now)

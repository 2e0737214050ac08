"""Which function does which kind of job. A new kind is a function and its line here."""

from collections.abc import Mapping
from typing import Final

from keepwell.services.team.daily import run_backfill, run_daily, run_load, run_publish
from keepwell.services.team.data_repairs import run_retry
from keepwell.services.team.model_changes import run_plan
from keepwell.services.team.playing.budgets import run_budget
from keepwell.services.team.running import Handler
from keepwell.store.models import Job

HANDLERS: Final[Mapping[str, Handler]] = {
    Job.Kind.DAILY: run_daily,
    Job.Kind.BACKFILL: run_backfill,
    Job.Kind.LOAD: run_load,
    Job.Kind.PUBLISH: run_publish,
    Job.Kind.PLAN: run_plan,
    Job.Kind.RETRY: run_retry,
    Job.Kind.BUDGET: run_budget,
}

"""Changing the model in the workspace: a draft, its plan, applying it, and going back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from keepwell.services.planning.apply import Applied, apply_model, rollback
from keepwell.services.planning.edits import Edit, edit_model
from keepwell.services.planning.plan import plan_model
from keepwell.services.planning.sources import current_hash, load_sources, model_sources, proposed_sources, sources_hash
from keepwell.services.team.audit import Actor, record
from keepwell.services.team.jobs import Done, job_enqueue
from keepwell.services.team.running import Running
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.store.models import Job, ModelDraft, Person

REPLAY_DAYS: Final = 90
_SHOWN_HASH: Final = 12


class ModelChangeError(WorkspaceError):
    """A change of the model that is refused; the message says what to do."""


@dataclass(frozen=True)
class Draft:
    """What a person is working on: the model itself while there are no changes."""

    sources: dict[str, str]
    base: dict[str, str]
    base_hash: str
    hash: str
    changed: tuple[str, ...]
    outdated: bool
    plan: Job | None

    @property
    def planned(self) -> bool:
        """Whether the plan of exactly this draft is there."""
        return self.plan is not None and self.plan.state in (Job.State.DONE, Job.State.PROBLEMS)


def draft_of(workspace: Workspace, person: Person) -> Draft:
    """A person's draft; `changed` names what differs, `outdated` says that the model moved on underneath."""
    here = current_hash(workspace)
    kept = ModelDraft.objects.filter(person=person).select_related("plan").first()
    if kept is None:
        return _fresh(workspace)
    names = {*kept.base, *kept.sources}
    changed = tuple(sorted(name for name in names if kept.base.get(name) != kept.sources.get(name)))
    plan = kept.plan if kept.plan and kept.plan.arguments.get("after") == kept.hash else None
    outdated = kept.base_hash != here
    return Draft(kept.sources, kept.base, kept.base_hash, kept.hash, changed, outdated=outdated, plan=plan)


def edit_draft(workspace: Workspace, person: Person, edits: Sequence[Edit], now: datetime) -> Draft:
    """Change single values. Raises EditError or DefinitionError, and then nothing is changed."""
    draft = draft_of(workspace, person)
    return _kept(person, draft, edit_model(draft.sources, edits), now, workspace)


def write_draft(workspace: Workspace, person: Person, name: str, text: str, now: datetime) -> Draft:
    """Replace one file's text. Raises DefinitionError with all problems, and then nothing is changed."""
    draft = draft_of(workspace, person)
    if name not in draft.sources:
        raise ModelChangeError(f"The model has no file {name}; it has {', '.join(draft.sources)}.")
    clean = text.replace("\r\n", "\n")
    return _kept(person, draft, {**draft.sources, name: clean}, now, workspace)


def replace_draft(workspace: Workspace, person: Person, files: Mapping[str, str], now: datetime) -> Draft:
    """Put several files' texts into the draft at once. Raises DefinitionError, and then nothing is changed."""
    draft = draft_of(workspace, person)
    clean = {name: text.replace("\r\n", "\n") for name, text in files.items()}
    return _kept(person, draft, proposed_sources({**draft.sources, **clean}), now, workspace)


def discard_draft(person: Person) -> None:
    """Forget the changes."""
    ModelDraft.objects.filter(person=person).delete()


def rebase_draft(workspace: Workspace, person: Person, now: datetime) -> Draft:
    """Put one's changed files on top of the model as it is now; files that both changed keep the draft's text."""
    draft, fresh = draft_of(workspace, person), _fresh(workspace)
    mine = {name: draft.sources[name] for name in draft.changed if name in draft.sources}
    return _kept(person, fresh, {**fresh.sources, **mine}, now, workspace)


@transaction.atomic
def request_plan(who: Actor, workspace: Workspace, person: Person, now: datetime) -> Job:
    """Ask for the plan of a person's draft; the worker makes it. The same draft on the same day is planned once."""
    draft = draft_of(workspace, person)
    if not draft.changed:
        raise ModelChangeError("There is nothing to plan: the draft is the model as it is.")
    if draft.outdated:
        raise ModelChangeError("The model was changed by somebody else meanwhile. Take that change over first.")
    latest = workspace.snapshots.latest()
    key = f"{draft.base_hash[:_SHOWN_HASH]}-{draft.hash[:_SHOWN_HASH]}-{latest}"
    arguments = {"before": draft.base_hash, "after": draft.hash, "sources": draft.sources, "days": REPLAY_DAYS}
    job, made = job_enqueue(who, kind=Job.Kind.PLAN, key=key, now=now, as_of=latest, arguments=arguments)
    if not made and job.state in (Job.State.FAILED, Job.State.CANCELLED):
        again = f"{key}-{int((now - now.replace(hour=0, minute=0, second=0)) / timedelta(seconds=1))}"
        job, _ = job_enqueue(who, kind=Job.Kind.PLAN, key=again, now=now, as_of=latest, arguments=arguments)
    ModelDraft.objects.filter(person=person).update(plan=job)
    return job


def run_plan(running: Running) -> Done:
    """The worker's part: compare the two models on the last day and over the days before."""
    wanted = running.job.arguments
    proposed = load_sources(wanted["sources"])

    def told(stage: str, done: int, total: int) -> None:
        running.step(stage[:1].upper() + stage[1:], done / total if total else 0.0)

    plan = plan_model(
        running.workspace,
        proposed,
        replay_days=int(wanted.get("days", REPLAY_DAYS)),
        step=told,
        on_wait=running.waits,
    )
    return Done({"customers": plan.customers, "changed": plan.changed}, plan.warnings, result=plan.as_dict())


def apply_draft(who: Actor, workspace: Workspace, person: Person, *, why: str, now: datetime) -> Applied:
    """Make a planned draft the model, then have the day computed anew. Raises ModelChangeError without a plan."""
    draft = draft_of(workspace, person)
    if not draft.planned:
        raise ModelChangeError("Plan the change first: then you see what it does before it counts.")
    applied = apply_model(workspace, draft.sources, who=who.name, why=why, at=now, expected_hash=draft.base_hash)
    _follow(who, workspace, applied, "model.applied", f"Applied version {applied.version} of the model: {why}", now)
    discard_draft(person)
    return applied


def roll_back(who: Actor, workspace: Workspace, version: int, *, why: str, now: datetime) -> Applied:
    """Make an earlier version the model again, as a new version."""
    applied = rollback(workspace, version, who=who.name, why=why, at=now)
    said = f"Rolled the model back to version {version}: {why}"
    _follow(who, workspace, applied, "model.rolled_back", said, now)
    return applied


@transaction.atomic
def _follow(who: Actor, workspace: Workspace, applied: Applied, action: str, summary: str, now: datetime) -> None:
    entry = applied.entry
    record(
        who,
        at=now,
        action=action,
        kind="model",
        object_id=applied.version,
        summary=summary,
        before={"hash": entry.before},
        after={"hash": entry.after, "changes": list(entry.summary)[:50]},
    )
    latest = workspace.snapshots.latest()
    if latest is not None:
        key = f"model-{applied.version}-{latest}"
        span = {"first": latest.isoformat(), "last": latest.isoformat()}
        job_enqueue(who, kind=Job.Kind.BACKFILL, key=key, now=now, as_of=latest, arguments=span)


def _fresh(workspace: Workspace) -> Draft:
    here, sources = current_hash(workspace), model_sources(workspace)
    return Draft(sources, sources, here, here, (), outdated=False, plan=None)


def _kept(person: Person, draft: Draft, sources: Mapping[str, str], now: datetime, workspace: Workspace) -> Draft:
    load_sources(sources)
    if dict(sources) == draft.base:
        discard_draft(person)
    else:
        values = {
            "base": draft.base,
            "base_hash": draft.base_hash,
            "sources": dict(sources),
            "hash": sources_hash(sources),
        }
        ModelDraft.objects.update_or_create(person=person, defaults={**values, "changed_at": now})
    return draft_of(workspace, person)

"""What the doctor looks at in the web: its configuration, database, published copies, worker and jobs."""

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from keepwell.services.doctor import Finding, State
from keepwell.services.published import copies_current
from keepwell.services.team.demo_people import DEMO_DOMAIN
from keepwell.services.team.schedule import due_run
from keepwell.services.team.settings import team_settings
from keepwell.services.team.worker import worker_seen
from keepwell.services.workspace import Workspace
from keepwell.store.models import Job, Person, Role

LOCAL: Final = ("127.0.0.1", "localhost", "::1")
SHORT_KEY: Final = 50
RUN_LATE: Final = timedelta(minutes=30)
FAILED_WITHIN: Final = timedelta(days=7)


def examine_web(workspace: Workspace, *, now: datetime) -> list[Finding]:
    """Look at everything around the pages; changes nothing."""
    found = [*_configuration(workspace), _copies(workspace)]
    try:
        database = _database()
        found += database
        if not any(finding.state is State.ERROR for finding in database):
            found += [*_people(), _worker(now), *_runs(workspace, now), _failures(now)]
    except DatabaseError as error:
        found.append(Finding("database", State.ERROR, f"cannot be reached: {str(error).strip()}; look at {_where()}"))
    return found


def _configuration(workspace: Workspace) -> Iterator[Finding]:
    web, problems = settings.WEB, False
    for problem in (*_address(web), *_secrets(workspace)):
        problems = True
        yield Finding("web", State.WARNING, problem)
    if not problems:
        yield Finding("web", State.OK, f"{web.url}" + (f", in which it is {web.today}" if web.today else ""))


def _address(web: Any) -> Iterator[str]:
    local = urlsplit(web.url).hostname in LOCAL
    if not local and not web.https:
        yield (
            f"{web.url} is not encrypted: passwords can be read on the way. Put a proxy with TLS before it and set"
            " [web] url to https://…"
        )
    if web.https and not web.trusted_proxies:
        yield "[web] url is https, but no proxy is trusted: set trusted_proxies to how many there are before it"
    if local and web.host not in LOCAL:
        yield f"it listens on {web.host} but [web] url is {web.url}: people elsewhere need an address that they reach"


def _secrets(workspace: Workspace) -> Iterator[str]:
    if len(settings.SECRET_KEY) < SHORT_KEY:
        yield f"KEEPWELL_SECRET_KEY is shorter than {SHORT_KEY} characters; make one with 'openssl rand -base64 48'"
    kept = workspace.data_dir / "web" / "secret_key"
    if kept.exists() and stat.S_IMODE(kept.stat().st_mode) & 0o077:
        yield f"others on this machine can read {kept}; 'chmod 600 {kept}'"
    if settings.WEB.sso and not os.environ.get("KEEPWELL_SSO_SECRET"):
        yield "[web.sso] is set, but KEEPWELL_SSO_SECRET is not: single sign-on cannot work"


def _where() -> str:
    return "[web] database in keepwell.toml and KEEPWELL_DATABASE_URL" if settings.WEB.database else "data/web"


def _database() -> list[Finding]:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    kind = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}.get(connection.vendor, connection.vendor)
    if missing:
        words = f"{kind}, {missing} migrations are missing; 'keepwell serve' or 'keepwell worker' applies them"
        return [Finding("database", State.ERROR, words)]
    return [Finding("database", State.OK, f"{kind}, up to date")]


def _people() -> Iterator[Finding]:
    active = Person.objects.filter(is_active=True)
    if not active.filter(role=Role.ADMIN).exists():
        yield Finding("people", State.WARNING, "there is no admin; 'keepwell people first-admin' prints a link for one")
        return
    demo = active.filter(email__endswith=f"@{DEMO_DOMAIN}").exists()
    if demo and urlsplit(settings.WEB.url).hostname not in LOCAL:
        words = "people of the demo, whose password everybody knows, can sign in from elsewhere; block them on /people"
        yield Finding("people", State.ERROR, words)
        return
    yield Finding("people", State.OK, f"{active.count()} may sign in")


def _copies(workspace: Workspace) -> Finding:
    latest, copies = workspace.snapshots.latest(), copies_current(workspace)
    if latest is None:
        return Finding("pages", State.NOTE, "nothing to show yet; 'keepwell load PATH' and 'keepwell run' change that")
    if copies is None or copies.as_of != latest:
        shown = f"show {copies.as_of}" if copies else "show nothing"
        words = f"the pages {shown}, but {latest} is published; 'keepwell run --as-of {latest}' brings them up to date"
        return Finding("pages", State.WARNING, words)
    return Finding("pages", State.OK, f"show {copies.as_of}, with {len(copies.dates)} dates of history")


def _worker(now: datetime) -> Finding:
    seen = worker_seen(now)
    if seen is None:
        words = "no worker has run yet; 'keepwell serve' has one, or start 'keepwell worker'"
        return Finding("worker", State.WARNING, words)
    if not seen.alive:
        words = f"not heard of since {_moment(seen.at)}; start 'keepwell serve' or 'keepwell worker'"
        return Finding("worker", State.WARNING, words)
    return Finding("worker", State.OK, f"{seen.name} is working")


def _runs(workspace: Workspace, now: datetime) -> Iterator[Finding]:
    chosen = team_settings(workspace)
    if not chosen.daily_runs:
        yield Finding("daily run", State.WARNING, "switched off; the settings page switches it on")
        return
    latest = workspace.snapshots.latest()
    due = due_run(run_time=chosen.run_time, zone=workspace.zone, last_published=latest, now=now)
    last = Job.objects.filter(kind=Job.Kind.DAILY, finished_at__isnull=False).order_by("-finished_at").first()
    if due and now - due.due_at > RUN_LATE and not _done(due.key):
        words = (
            f"the run of {due.day} was due at {_moment(due.due_at)} and is not done; see /jobs, and the worker above"
        )
        yield Finding("daily run", State.WARNING, words)
    elif last is None:
        yield Finding("daily run", State.NOTE, f"none yet; it begins every day at {chosen.run_time:%H:%M}")
    else:
        good = last.state in (Job.State.DONE, Job.State.PROBLEMS)
        words = f"the last one, of {last.as_of or last.key}: {last.get_state_display().lower()}"
        yield Finding("daily run", State.OK if good else State.WARNING, words + ("" if good else "; see /jobs"))


def _done(key: str) -> bool:
    day = Job.objects.filter(kind=Job.Kind.DAILY, key__startswith=key)
    return day.filter(state__in=(Job.State.DONE, Job.State.PROBLEMS)).exists()


def _failures(now: datetime) -> Finding:
    failed = Job.objects.filter(state=Job.State.FAILED, finished_at__gt=now - FAILED_WITHIN).order_by("-finished_at")
    newest = failed.first()
    if newest is None:
        return Finding("jobs", State.OK, "none failed within a week")
    first = (newest.error.splitlines() or [""])[0]
    return Finding("jobs", State.WARNING, f"{failed.count()} failed within a week; the last, {newest}: {first}")


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"

"""Start Django for a workspace folder: set it up, bring the database up to date, serve, work."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import django
from django.conf import settings
from django.core.management import call_command

from keepwell.interfaces.site.preparing import prepared
from keepwell.services.workspace import WorkspaceError

_JOIN_SECONDS: Final = 20


def set_up(root: Path) -> None:
    """Configure Django for the workspace in `root`; once per process. Raises WorkspaceError for a bad configuration."""
    here = str(root.resolve())
    if settings.configured:
        if Path(settings.KEEPWELL_WORKSPACE).resolve() != root.resolve():
            raise WorkspaceError(f"{here}: this process serves {settings.KEEPWELL_WORKSPACE} already")
        return
    os.environ["KEEPWELL_WORKSPACE"] = here
    os.environ["DJANGO_SETTINGS_MODULE"] = "keepwell.interfaces.site.settings"
    django.setup()


def prepare() -> None:
    """Bring the application database and the static files up to date; safe to repeat, and for two processes at once."""
    prepared(call_command)


def late(module: str) -> Any:
    """A module that can be imported only once Django is set up."""
    return import_module(module)


def job_command(job: Any) -> list[str]:
    """How one attempt at a job is started as a process of its own."""
    program = [sys.executable, "-m", "keepwell.interfaces.cli", "-w", os.environ["KEEPWELL_WORKSPACE"]]
    return [*program, "job", str(job.pk), "--attempt", str(job.attempts), "--parent", str(os.getpid())]


def work(stop: threading.Event) -> None:
    """Work on jobs and, beside them, on what happens meanwhile, until `stop` is set, by the workspace's clock."""
    now = late("keepwell.interfaces.site.clock").now
    actions = late("keepwell.services.team.actions")
    beside = [
        threading.Thread(target=one, args=(stop,), kwargs={"now": now}, name=one.__name__, daemon=True)
        for one in (actions.act, actions.deliver)
    ]
    for thread in beside:
        thread.start()
    try:
        late("keepwell.services.team.worker").work(stop, now=now, command=job_command)
    finally:
        stop.set()
        for thread in beside:
            thread.join(timeout=_JOIN_SECONDS)


def serve(
    host: str,
    port: int,
    *,
    threads: int,
    worker: bool,
    stop: threading.Event,
    listening: Callable[[], object] = lambda: None,
) -> None:
    """Answer requests until interrupted; the worker runs beside in a thread, its jobs in processes of their own.

    `listening` is called once the address is taken.
    """
    server = _server(host, port, threads)
    answering = [thread for thread in threading.enumerate() if thread.name.startswith("waitress")]
    listening()
    beside = threading.Thread(target=work, args=(stop,), name="worker", daemon=True)
    if worker:
        beside.start()
    try:
        server.run()
    finally:
        stop.set()
        server.close()
        # A thread that is still closing its DuckDB when Python ends would abort the process.
        for thread in (*answering, *([beside] if worker else [])):
            thread.join(timeout=_JOIN_SECONDS)


def end_on_signals(stop: threading.Event, *, leave: bool) -> None:
    """SIGTERM and SIGINT end the program in order; `leave` is for one that waits for requests and not for `stop`."""

    def ended(*_: object) -> None:
        stop.set()
        if leave:
            raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ended)


def _server(host: str, port: int, threads: int) -> Any:
    application = late("keepwell.interfaces.site.wsgi").application
    try:
        return late("waitress").create_server(
            application,
            host=host,
            port=port,
            threads=threads,
            ident=None,
            max_request_body_size=most_body(),
            clear_untrusted_proxy_headers=True,
            **_proxies(settings.WEB.trusted_proxies),
        )
    except OSError as error:
        raise WorkspaceError(
            f"{host}:{port} cannot be listened on: {error.strerror or error}; choose another with --port or --host"
        ) from None


def most_body() -> int:
    """The bytes that a request may have: the largest upload that can be set, and the form around it."""
    uploads, settings_module = late("keepwell.interfaces.site.uploads"), late("keepwell.services.team.settings")
    return int(settings_module.MOST_UPLOAD_MB * uploads.MEGABYTE + uploads.ENVELOPE)


def _proxies(count: int) -> dict[str, Any]:
    if not count:
        return {}
    return {
        "trusted_proxy": "*",
        "trusted_proxy_count": count,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"},
    }

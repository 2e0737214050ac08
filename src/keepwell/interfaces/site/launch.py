"""Start Django for a workspace folder: set it up, bring the database up to date, serve, work."""

import os
import threading
from importlib import import_module
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command


def set_up(root: Path) -> None:
    """Configure Django for the workspace in `root`; once per process. Raises WorkspaceError for a bad configuration."""
    os.environ["KEEPWELL_WORKSPACE"] = str(root.resolve())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "keepwell.interfaces.site.settings")
    if not settings.configured:
        django.setup()


def prepare() -> None:
    """Bring the application database and the static files up to date; safe to repeat."""
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)


def late(module: str) -> Any:
    """A module that can be imported only once Django is set up."""
    return import_module(module)


def serve(host: str, port: int, *, threads: int, worker: bool, stop: threading.Event) -> None:
    """Answer requests until interrupted; the worker runs beside in a thread, its jobs in processes of their own."""
    application = late("keepwell.interfaces.site.wsgi").application
    server = late("waitress").create_server(
        application,
        host=host,
        port=port,
        threads=threads,
        ident=None,
        clear_untrusted_proxy_headers=True,
        **_proxies(settings.WEB.trusted_proxies),
    )
    beside = None
    if worker:
        beside = threading.Thread(
            target=late("keepwell.services.team.worker").work, args=(stop,), name="worker", daemon=True
        )
        beside.start()
    try:
        server.run()
    finally:
        stop.set()
        server.close()
        if beside is not None:
            beside.join(timeout=15)


def _proxies(count: int) -> dict[str, Any]:
    if not count:
        return {}
    return {
        "trusted_proxy": "*",
        "trusted_proxy_count": count,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"},
    }

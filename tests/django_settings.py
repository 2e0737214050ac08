"""Django's settings for tests: a workspace folder of the process's own, SQLite or what KEEPWELL_TEST_DATABASE names."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from keepwell.services.workspace import workspace_init
from tests.postgresql import database_url

_FOLDER = Path(tempfile.mkdtemp(prefix="keepwell-tests-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
workspace_init(_FOLDER / "workspace", pack="b2b-saas", name="Test workspace", currency="EUR")
os.environ["KEEPWELL_WORKSPACE"] = str(_FOLDER / "workspace")
os.environ["KEEPWELL_SECRET_KEY"] = "only for tests, and long enough for Django's check of its strength: 0123456789"  # noqa: S105
if os.environ.get("KEEPWELL_TEST_DATABASE"):
    os.environ["KEEPWELL_DATABASE_URL"] = database_url(os.environ["KEEPWELL_TEST_DATABASE"])

from keepwell.interfaces.site.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
WHITENOISE_AUTOREFRESH = True
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
if "sqlite3" in DATABASES["default"]["ENGINE"]:  # noqa: F405
    # A file, as in production: a database in memory locks tables, not the whole, and never waits.
    DATABASES["default"]["TEST"] = {"NAME": _FOLDER / "tests.sqlite3"}  # noqa: F405
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}

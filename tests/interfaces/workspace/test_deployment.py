"""Django's own check of a deployment, with a configuration as in production."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from keepwell.services.workspace import CONFIG, workspace_init

PROGRAM = """
import json, django
from django.conf import settings
from django.core.management import call_command
django.setup()
call_command("check", deploy=True, fail_level="DEBUG")
names = "SESSION_COOKIE_SECURE CSRF_COOKIE_SECURE SESSION_COOKIE_HTTPONLY SECURE_SSL_REDIRECT SECURE_HSTS_SECONDS DEBUG"
print(json.dumps({name: getattr(settings, name) for name in names.split()}))
print(json.dumps(sorted(settings.ALLOWED_HOSTS)))
"""


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    root: Path = tmp_path_factory.mktemp("deployed") / "ws"
    workspace_init(root, pack="b2b-saas")
    with open(root / CONFIG, "a", encoding="utf-8") as config:
        config.write('\n[web]\nurl = "https://cs.example.com"\ntrusted_proxies = 1\n')
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KEEPWELL_", "DJANGO_"))}
    settings = {"KEEPWELL_WORKSPACE": str(root), "DJANGO_SETTINGS_MODULE": "keepwell.interfaces.site.settings"}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], env=kept | settings, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_check_of_a_deployment_is_clean(deployed: subprocess.CompletedProcess[str]) -> None:
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    assert "System check identified no issues (0 silenced)" in deployed.stdout


def test_cookies_go_over_tls_alone(deployed: subprocess.CompletedProcess[str]) -> None:
    lines = [line for line in deployed.stdout.splitlines() if line.startswith(("{", "["))]
    found: dict[str, Any] = json.loads(lines[0])
    assert found.pop("DEBUG") is False
    assert found.pop("SECURE_HSTS_SECONDS") >= 31_536_000
    assert all(found.values()), found
    assert "*" not in json.loads(lines[1])

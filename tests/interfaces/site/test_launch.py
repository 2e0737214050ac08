"""What the web server takes, and what it gives without asking Django."""

import pytest
from django.conf import settings
from django.test import Client

from keepwell.interfaces.site import launch
from keepwell.services.team.settings import MOST_UPLOAD_MB, team_settings
from keepwell.services.workspace import Workspace
from keepwell.store.models import WorkspaceSetting


@pytest.mark.django_db
def test_the_largest_upload_fits_into_what_the_server_takes(published: Workspace) -> None:
    server = launch._server("127.0.0.1", 0, 1)
    taken = server.adj.max_request_body_size
    server.close()
    assert MOST_UPLOAD_MB * 1_000_000 < taken < (MOST_UPLOAD_MB + 1) * 1_000_000
    WorkspaceSetting.objects.create(name="upload_mb", value=10_000)
    assert team_settings(published).upload_mb == MOST_UPLOAD_MB, "a setting of an older version"


def test_browsers_find_an_icon(db: None) -> None:
    answer = Client().get("/favicon.ico")
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content).startswith(b"\x00\x00\x01\x00")
    assert settings.WHITENOISE_ROOT.is_dir()

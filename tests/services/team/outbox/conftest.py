"""Fixtures of the outbox."""

import pytest
from django.conf import settings

from keepwell.interfaces.site.mail import MailConfig
from keepwell.services.workspace import Workspace
from tests.web import published_workspace


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> MailConfig:
    """A sender's address and a domain for replies."""
    config = MailConfig("smtp", "Acme Team <hello@keepwell.example>", reply_domain="reply.keepwell.example")
    monkeypatch.setattr(settings, "MAIL", config)
    return config


@pytest.fixture
def here(published: Workspace) -> Workspace:
    """The published workspace."""
    return published_workspace()

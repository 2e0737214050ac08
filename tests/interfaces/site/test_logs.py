"""The log says in one line what was refused, and in full what broke."""

import logging
import sys
from typing import Any

import pytest
from django.conf import settings

from keepwell.interfaces.site.logs import Refusals


@pytest.mark.parametrize(("status", "told"), [(403, False), (404, False), (500, True), (None, True)])
def test_only_faults_have_a_traceback(status: int | None, told: bool) -> None:
    try:
        raise PermissionError
    except PermissionError:
        record = logging.LogRecord("django.request", logging.WARNING, "", 0, "Forbidden", (), sys.exc_info())
    if status is not None:
        record.status_code = status
    assert Refusals().filter(record)
    assert bool(record.exc_info) is told


def test_the_console_uses_it() -> None:
    logging_settings: dict[str, Any] = settings.LOGGING
    assert logging_settings["handlers"]["console"]["filters"] == ["refusals"]

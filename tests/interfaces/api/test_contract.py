"""The document against what is answered: requests made from it meet no fault and nothing that it does not tell."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from keepwell.interfaces.site.wsgi import application
from keepwell.services.planning.sources import current_model
from keepwell.services.published import customers_named
from keepwell.services.workspace import Workspace, workspace_open
from tests.interfaces.api.conftest import MakeProgram
from tests.interfaces.api.program import ROOT
from tests.interfaces.api.test_access import task_of
from tests.interfaces.workspace.page_world import offer_open
from tests.playbook_rows import question_of, run_of

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

load_all_checks()
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="session")
def copied(published: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of these tests' own: some requests change it."""
    return Path(shutil.copytree(published.root, tmp_path_factory.mktemp("contract") / "workspace"))


@pytest.fixture
def one_connection(db: None) -> Iterator[None]:
    """Requests do not close the connection in whose transaction the test is, as Django's own client sees to."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def known(
    program: MakeProgram, owned: tuple[str, str], one_connection: None, copied: Path, settings: Any
) -> dict[str, Any]:
    """A token that may everything, and things that exist."""
    settings.KEEPWELL_WORKSPACE = str(copied)
    admin = program("admin")
    task = task_of(owned[0], assignee=admin.person)
    copy = workspace_open(copied)
    row = customers_named(copy, [owned[0]])[owned[0]]
    run = run_of(current_model(copy).model, "revenue_at_risk", row, until="ask")
    return {
        "secret": admin.secret,
        "customer_id": owned[0],
        "task_id": task.pk,
        "run_id": run.pk,
        "approval_id": question_of(run, row).pk,
        "offer_id": offer_open(row).pk,
        "person_id": admin.person.pk,
        "name": "healthy_stable",
    }


schema = schemathesis.openapi.from_wsgi(f"{ROOT}/openapi.json", application)


@schema.parametrize()
@hypothesis.settings(
    max_examples=12, phases=[Phase.generate], derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
)
def test_answers_are_as_documented(case: Any, known: dict[str, Any]) -> None:
    """Requests with made-up values, every second time about something that exists."""
    asked = known.setdefault("asked", 0)
    known["asked"] = asked + 1
    if asked % 2 == 0:
        case.path_parameters = {name: known.get(name, value) for name, value in (case.path_parameters or {}).items()}
        if isinstance(case.body, dict) and "customer_id" in case.body:
            case.body["customer_id"] = known["customer_id"]
    answer = case.call(headers={"Authorization": f"Bearer {known['secret']}"})
    case.validate_response(answer, checks=CHECKS)

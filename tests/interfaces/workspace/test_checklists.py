"""The page of checklists."""

from typing import get_args

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from keepwell.interfaces.workspace.pages.checklists import url_of
from keepwell.model.checklist_definitions import ChecklistItem, ChecklistPage
from keepwell.services.workspace import Workspace
from keepwell.store.models import ChecklistTick
from tests.web import MakeClient

pytestmark = pytest.mark.django_db
TICK = ("daily", "queue")


@pytest.mark.parametrize("page", get_args(ChecklistPage))
def test_every_page_that_items_may_name_is_there(page: str) -> None:
    item = ChecklistItem.model_validate({"text": "x", "page": page, "query": "a=b"})
    assert url_of(item).endswith("?a=b")


def test_lists_show_items_with_their_pages_and_what_data_say(client_of: MakeClient) -> None:
    page = client_of("viewer").get(reverse("checklists")).content.decode()
    assert "Work through the queue until nothing is overdue" in page
    assert f'href="{reverse("portfolio")}?renewal_within=90"' in page
    assert "No task is overdue" in page
    assert "<form" not in page.partition('id="content"')[2], "who may not work ticks nothing"


def test_somebody_ticks_with_name_and_time_and_takes_it_back(client_of: MakeClient) -> None:
    csm = client_of("csm", name="Maya Brandt")
    address = reverse("checklist_tick", args=TICK)
    page = csm.post(address, {"to": "done", "note": "All of it"}, follow=True).content.decode()
    assert "Maya Brandt, " in page
    assert "All of it" in page
    part = csm.post(address, {"to": "open"}, headers={"HX-Request": "true"}).content.decode()
    assert 'id="list-daily"' in part
    assert "<html" not in part
    assert not ChecklistTick.objects.exists()


def test_only_who_works_ticks(client_of: MakeClient) -> None:
    assert client_of("viewer").post(reverse("checklist_tick", args=TICK)).status_code == 403
    assert client_of("csm").get(reverse("checklist_tick", args=TICK)).status_code == 405


def test_what_is_gone_is_said(client_of: MakeClient) -> None:
    page = client_of("csm").post(reverse("checklist_tick", args=("daily", "gone")), follow=True).content.decode()
    assert "no longer in the model" in page


def test_the_page_asks_little(client_of: MakeClient, published: Workspace) -> None:
    csm = client_of("csm")
    csm.get(reverse("checklists"))
    with CaptureQueriesContext(connection) as queries:
        csm.get(reverse("checklists"))
    assert len(queries) <= 20

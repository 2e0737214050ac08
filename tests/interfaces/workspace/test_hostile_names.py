"""Every id of a customer and every name of a segment has pages, also where it looks like a part of an address."""

import csv
import re
import shutil
from datetime import UTC, datetime
from functools import lru_cache
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from django.conf import settings
from django.urls import resolve, reverse

from keepwell.interfaces.workspace.converters import PAGES, NameConverter, SegmentConverter
from keepwell.services.loading import load_files
from keepwell.services.published import publish_copies
from keepwell.services.runs import run_day
from keepwell.services.workspace import Workspace, workspace_init, workspace_open
from keepwell.store.models import Note, Task
from tests.web import LAST, MakeClient

pytestmark = pytest.mark.django_db
IDS = (
    "a/why", "a", "a/tasks/new", "a/notes/1", "a/hold/end", ".", "..", "a/../b", "/", "//", "a/", "/a", "new",
    "a~2Fwhy", "~", "~7E", "a%2Fb", "a?b=c", "a#b", "a b", "a&b=<i>", "ä\"'", "a\\b", "{{ id }}", "why", "a;b", "a+b",
)  # fmt: skip
READ = (
    "customer", "customer_why", "customer_changes", "customer_timeline", "customer_usage", "customer_tasks",
    "customer_notes",
)  # fmt: skip
ODD = "".join(f"  {name}:\n    label: Odd {name}\n    dimension: {name}\n    when: mrr > 0\n" for name in sorted(PAGES))


@lru_cache
def hostile_workspace() -> Path:
    root = Path(settings.KEEPWELL_WORKSPACE).parent / "hostile"
    workspace = workspace_init(root, pack="b2b-saas", currency="EUR")
    with open(workspace.model_dir / "segments.yaml", "a", encoding="utf-8") as file:
        file.write(ODD)
    with open(root / "customers.csv", "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, quoting=csv.QUOTE_ALL)
        rows.writerow(("customer_id", "name", "mrr", "status"))
        rows.writerows((one, f"Company {number}", "100", "active") for number, one in enumerate(IDS))
    load_files(workspace, paths=[root / "customers.csv"], now=datetime(2026, 7, 1, 8, tzinfo=UTC))
    run_day(workspace, as_of=LAST)
    publish_copies(workspace)
    return root


@pytest.fixture
def hostile(published: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    shutil.copytree(hostile_workspace(), tmp_path / "ws")
    monkeypatch.setattr(settings, "KEEPWELL_WORKSPACE", str(tmp_path / "ws"))
    return workspace_open(tmp_path / "ws")


def links(page: str) -> set[str]:
    """Where a page leads within the customers."""
    found = re.findall(r'(?:href|action|hx-get|hx-post|data-href)="(/customers/[^"]*)', page)
    return {unquote(urlsplit(unescape(one)).path) for one in found}


@pytest.mark.parametrize("customer", IDS)
def test_every_address_comes_back_as_it_went(customer: str) -> None:
    for name in READ:
        address = reverse(name, args=[customer])
        assert "/../" not in f"{address}/"
        assert "/./" not in f"{address}/"
        assert address.count("/") == reverse(name, args=["plain"]).count("/")
        text = NameConverter().to_url(customer)
        found = resolve(address.replace(address.split("/")[2], text))
        assert (found.url_name, found.kwargs) == (name, {"customer_id": customer})


def test_addresses_of_before_are_read_as_they_were() -> None:
    assert resolve("/customers/eu/7").kwargs == {"customer_id": "eu/7"}
    assert resolve("/customers/eu/7/why").kwargs == {"customer_id": "eu/7"}
    assert resolve("/customers/c-1/timeline").url_name == "customer_timeline"
    assert resolve("/segments/healthy_stable").kwargs == {"name": "healthy_stable"}
    assert reverse("customer", args=["c-1"]) == "/customers/c-1"
    assert reverse("segment", args=["healthy_stable"]) == "/segments/healthy_stable"


def test_every_page_of_every_customer_is_the_customers(hostile: Workspace, client_of: MakeClient) -> None:
    ops = client_of("ops")
    for number, customer in enumerate(IDS):
        page = ops.get(reverse("customer", args=[customer]))
        assert page.status_code == 200, customer
        assert re.search(rf"Company {number}\b", page.content.decode()), customer
        for name in READ:
            assert ops.get(reverse(name, args=[customer])).status_code == 200, (name, customer)
        for link in links(page.content.decode()):
            assert resolve(link).kwargs["customer_id"] == customer


def test_what_is_written_about_a_customer_stands_at_this_one(hostile: Workspace, client_of: MakeClient) -> None:
    ops = client_of("ops")
    for customer in IDS:
        ops.post(reverse("customer_note_new", args=[customer]), {"text": f"About {customer}"})
        note = Note.objects.get(customer_id=customer)
        ops.post(reverse("customer_note", args=[customer, note.pk]), {"text": f"More of {customer}"})
        assert Note.objects.get(pk=note.pk).text.startswith("More of"), customer
        ops.post(reverse("customer_note_gone", args=[customer, note.pk]))
        ops.post(reverse("customer_task_new", args=[customer]), {"title": "Call", "due_on": "2026-07-02"})
    assert not Note.objects.filter(text__startswith="About").exists()
    assert set(Task.objects.filter(title="Call").values_list("customer_id", flat=True)) == set(IDS)


def test_lists_lead_to_every_customer(hostile: Workspace, client_of: MakeClient) -> None:
    page = client_of("ops").get(reverse("portfolio")).content.decode()
    found = {resolve(link).kwargs["customer_id"] for link in links(page)}
    assert found == set(IDS)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_segments_with_the_names_of_pages_have_their_own(hostile: Workspace, client_of: MakeClient, name: str) -> None:
    ops = client_of("ops")
    assert reverse("segment", args=[name]) == f"/segments/{SegmentConverter().to_url(name)}"
    page = ops.get(reverse("segment", args=[name]))
    assert page.status_code == 200
    assert f"Odd {name}" in page.content.decode()
    assert (
        f'href="{reverse("segment", args=[name])}"'
        in ops.get(
            reverse("segments") + f"?by={name}", headers={"HX-Request": "true", "HX-Target": "figures"}
        ).content.decode()
    )

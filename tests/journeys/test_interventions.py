"""Two workflows to their end: a payment that fails and a ladder that goes on; an offer, asked for and accepted."""

import hashlib
import hmac
import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from keepwell.services.published import publish_copies
from keepwell.services.runs import backfill_days
from keepwell.services.workspace import workspace_init
from tests.interfaces import serving
from tests.interfaces.serving import in_site, served
from tests.web import LAST, published_workspace, signals_workspace

from .conftest import Visit
from .sites import PASSWORD, Site, copied

MANAGER = "manager@demo.keepwell.example"
HOOK = "whsec_journey"
_SITE = "import json\nfrom tests.interfaces.workspace import page_world\n"
_SITE += "print(json.dumps(page_world.switched_on(workspace())))"
_PLAIN = serving.environment
_ALWAYS = "calendar: {quiet_hours: null, quiet_days: []}\n"


def ready(source: Path, folder: Path) -> Site:
    """A copy in which every playbook is on, and letters wait for no morning."""
    root, port = copied(source, folder)
    (root / "model" / "calendar.yaml").write_text(_ALWAYS, encoding="utf-8")
    return Site(root, port, json.loads(in_site(root, _SITE)))


@pytest.fixture(scope="module")
def agencies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    """The pack of signals, served; Stripe may call."""
    site = ready(signals_workspace().root, tmp_path_factory.mktemp("agencies"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.interfaces.serving.environment", _with_hook)
        with served(site.root, site.port) as there:
            yield site, there.address


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    """The pack that monitors, served."""
    folder = tmp_path_factory.mktemp("monitored")
    workspace = workspace_init(folder / "made", pack="saas-monitoring", name="Monitored", currency="EUR")
    loaded = published_workspace().data_dir
    workspace.data_dir.mkdir(parents=True)
    shutil.copy2(loaded / "warehouse.duckdb", workspace.data_dir)
    shutil.copytree(loaded / "facts", workspace.data_dir / "facts")
    backfill_days(workspace, first=LAST, last=LAST)
    publish_copies(workspace)
    site = ready(workspace.root, folder)
    with served(site.root, site.port) as there:
        yield site, there.address


def _with_hook() -> dict[str, str]:
    return {**_PLAIN(), "KEEPWELL_STRIPE_WEBHOOK_SECRET": HOOK}


def test_a_failed_payment_is_an_alert_at_once_and_a_voicemail_ends_no_ladder(
    agencies: tuple[Site, str], visit: Visit
) -> None:
    site, address = agencies
    visitor = visit(address)
    page = visitor.sign_in(site.things["csm"], PASSWORD)
    company, customer = site.things["company"], site.things["customer"]
    body = stripe_event(customer)
    answer = visitor.context.request.post("/hooks/stripe", data=body, headers=signature(body))
    assert answer.ok

    alert = appeared(page, "/alerts", f"A payment of {company} failed")
    alert.click()
    expect(page.get_by_text("Call about the payment").first).to_be_visible()
    page.get_by_role("button", name="Take up").first.click()
    expect(page.get_by_text("Resolve").first).to_be_visible()

    start(page, customer, "Revenue at risk")
    expect(appeared(page, "/today", f"URGENT: Call {company}")).to_be_visible()
    row = page.locator("[data-task]", has_text=f"URGENT: Call {company}").first
    page.goto(f"/tasks/{row.get_attribute('data-task')}")
    expect(page.locator("#card-title")).to_have_text(f"URGENT: Call {company}")
    expect(page.get_by_label("How to do it")).to_contain_text("Log a voicemail")
    for words in ("Voicemail", "Payment", "Follow-up"):
        page.locator("#outcome label", has_text=words).click()
    page.get_by_role("button", name="Log outcome").click()
    expect(page.locator("#messages [role=status]")).to_contain_text("Voicemail")
    page.goto(f"/customers/{customer}")
    ladder = page.locator("section, article, div", has=page.get_by_text("Revenue at risk")).filter(has_text="Waits")
    expect(ladder.last).to_contain_text("24 hours")


def test_an_offer_is_asked_for_approved_accepted_and_carried_out(monitored: tuple[Site, str], visit: Visit) -> None:
    site, address = monitored
    company, customer = site.things["company"], site.things["customer"]
    csm = visit(address).sign_in(site.things["csm"], PASSWORD)
    start(csm, customer, "Offer: billing pause")

    manager = visit(address).sign_in(MANAGER, PASSWORD)
    question = appeared(manager, "/approvals", f"Offer {company} a payment pause of up to 3 months?")
    expect(question).to_be_visible()
    manager.get_by_role("button", name="Approve").first.click()
    expect(manager.get_by_text(f"Approved for {company}")).to_be_visible()

    appeared(manager, "/outbox?q=pause", "A pause instead of a cancellation").click()
    letter = manager.locator("details", has_text="As plain text")
    letter.locator("summary").click()
    said = letter.inner_text()
    assert not re.search(r"\{\{|\bNone\b|\{company\}", said)
    assert "Pause your subscription for up to 3 months" in said
    link = re.search(r"(/o/\S+)", said)
    assert link

    stranger = visit(address, size=(390, 844)).page
    stranger.goto(link[1])
    expect(stranger.get_by_role("heading", name="Pause your subscription")).to_be_visible()
    stranger.get_by_role("button", name="Accept").click()
    expect(stranger.get_by_text("Thank you")).to_be_visible()
    title = f"Carry out for {company}: Pause your subscription for up to 3 months"
    expect(appeared(manager, "/today", title)).to_be_visible()


def start(page: Page, customer: str, playbook: str) -> None:
    """Start a playbook on the customer's page."""
    page.goto(f"/customers/{customer}")
    page.get_by_label("Start a playbook").select_option(label=playbook)
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_load_state()


def appeared(page: Page, path: str, words: str) -> Any:
    """What the worker does within moments; pages are asked again until it is there."""
    found = page.get_by_text(words).first
    for _ in range(40):
        page.goto(path)
        if found.count():
            return found
        page.wait_for_timeout(250)
    raise AssertionError(f"{path} does not say “{words}”: {page.locator('main, body').first.inner_text()[:800]}")


def stripe_event(customer: str) -> str:
    """A failed invoice of a customer, at the published day."""
    at = int(time.mktime(LAST.timetuple())) + 60
    invoice = {
        "id": "in_1", "object": "invoice", "customer": "cus_1", "amount_due": 42000, "amount_paid": 0, "total": 42000,
        "currency": "eur", "attempt_count": 1, "created": at, "status": "open",
        "metadata": {"customer_id": customer}, "lines": {"data": []},
    }  # fmt: skip
    event = {"id": "evt_1", "object": "event", "type": "invoice.payment_failed", "created": at}
    return json.dumps(event | {"data": {"object": invoice}})


def signature(body: str) -> dict[str, str]:
    """As Stripe signs."""
    now = int(time.time())
    signed = hmac.new(HOOK.encode(), f"{now}.{body}".encode(), hashlib.sha256).hexdigest()
    return {"Content-Type": "application/json", "Stripe-Signature": f"t={now},v1={signed}"}

"""Workflows of the households' guide as people live through them: a win-back offer, a detractor, a campaign."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import APIRequestContext, Page, expect

from tests.interfaces.serving import served

from .conftest import Visit
from .sites import ADMIN, PASSWORD, Site, household_site

MANAGER = "manager@demo.keepwell.example"
OFFER = "One month of Premium for free"


@pytest.fixture(scope="module")
def households(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    """The households' site, served."""
    site = household_site(tmp_path_factory.mktemp("households"))
    with served(site.root, site.port) as there:
        yield site, there.address


def tracked(request: APIRequestContext, site: Site, event: str, **properties: object) -> None:
    """The product says what happened to the site's customer."""
    said = {"event": event, "userId": "u-1", "properties": properties, "context": {"groupId": site.things["customer"]}}
    key = {"Authorization": f"Bearer {site.things['key']}"}
    assert request.post("/v1/track", data=said, headers=key).ok


def until_there(page: Page, address: str, words: str) -> None:
    """Open a page again until the worker has done its part."""
    for _ in range(40):
        page.goto(address)
        if page.get_by_text(words).count():
            return
        page.wait_for_timeout(250)
    raise AssertionError(f"{address} never said: {words}")


def test_a_win_back_offer_is_asked_for_approved_written_and_accepted(
    households: tuple[Site, str], visit: Visit
) -> None:
    site, address = households
    customer, company = f"/customers/{site.things['customer']}", site.things["company"]
    csm = visit(address).sign_in(site.things["csm"], PASSWORD)
    csm.goto(customer)
    csm.get_by_label("Start a playbook").select_option("win_back_downgraded")
    csm.locator("#playbooks-part").get_by_role("button", name="Start").click()
    expect(csm.locator("#playbooks-part").get_by_text("Waits for the answer").first).to_be_visible()

    boss = visit(address).sign_in(MANAGER, PASSWORD)
    boss.goto("/approvals")
    expect(boss.get_by_text(f"Offer {company} 1 month of Premium for free?")).to_be_visible()
    expect(boss.get_by_text(f"offer “{OFFER}”")).to_be_visible()
    boss.get_by_label(f"Note on {company}").fill("Once, and not again this year.")
    boss.get_by_role("button", name="Approve").click()
    expect(boss.get_by_text(f"Approved for {company}")).to_be_visible()

    until_there(boss, "/outbox?q=One+month", company)
    boss.locator("a[href^='/outbox/']").first.click()
    letter = boss.frame_locator("iframe")
    expect(letter.get_by_text("You can accept it until 14 July 2026.")).to_be_visible()
    link = letter.get_by_role("link", name="Take the month").get_attribute("href") or ""
    assert "/o/" in link

    household = visit(address).page
    household.goto(link)
    expect(household.get_by_role("heading", name=OFFER)).to_be_visible()
    household.get_by_label("Your name").fill("Ada Palmer")
    household.get_by_role("button", name="Accept").click()
    expect(household.get_by_role("heading", name="Thank you: it is yours")).to_be_visible()

    csm.goto("/offers?state=all")
    expect(csm.locator("tr", has_text=company).get_by_text("Accepted")).to_be_visible()
    csm.goto(customer)
    csm.locator("#playbooks-part a[href^='/playbooks/runs/']").first.click()
    expect(csm.get_by_text("Once, and not again this year.")).to_be_visible()
    expect(csm.get_by_role("link", name="The offer")).to_be_visible()


def test_a_detractor_is_an_alert_within_seconds_and_is_answered(households: tuple[Site, str], visit: Visit) -> None:
    site, address = households
    visitor = visit(address)
    csm = visitor.sign_in(site.things["csm"], PASSWORD)
    tracked(
        visitor.context.request,
        site,
        "nps_answered",
        score=3,
        comment="Reminders come too late. <b>The dog</b> waited.",
    )
    title = f"{site.things['company']} would not recommend us"
    until_there(csm, "/alerts", title)
    csm.get_by_text(title).first.click()
    expect(csm.get_by_text("Reminders come too late. <b>The dog</b> waited.").first).to_be_visible()
    expect(csm.get_by_text("Call within a day and listen")).to_be_visible()
    csm.get_by_role("button", name="Take up").click()
    expect(csm.get_by_text("Taken up").first).to_be_visible()
    csm.get_by_label("What was done?").fill("Called; the time zone of the reminders was wrong.")
    csm.get_by_role("button", name="Resolve").click()
    expect(csm.get_by_text("Called; the time zone of the reminders was wrong.").first).to_be_visible()
    csm.goto("/alerts")
    expect(csm.get_by_text(title)).to_have_count(0)


def test_a_seasonal_campaign_is_counted_started_and_written(households: tuple[Site, str], visit: Visit) -> None:
    _, address = households
    boss = visit(address).sign_in(MANAGER, PASSWORD)
    boss.goto("/playbooks/seasonal_campaign")
    boss.get_by_role("link", name="Start for a segment").click()
    boss.get_by_label("Customers").select_option("everybody")
    boss.get_by_role("button", name="Count").click()
    expect(boss.get_by_text("10 % of them are left alone, to compare with.")).to_be_visible()
    boss.get_by_role("button", name="Start for").click()
    expect(boss.get_by_text("the runs begin within seconds")).to_be_visible()
    until_there(boss, "/outbox?q=National+Pet+Day", "Happy National Pet Day!")
    boss.locator("a[href^='/outbox/']").first.click()
    expect(boss.frame_locator("iframe").get_by_role("link", name="Unsubscribe")).to_be_visible()
    admin = visit(address).sign_in(ADMIN, PASSWORD)
    admin.goto("/audit?q=customers+of+everybody")
    expect(admin.get_by_text("Seasonal campaign: started for").first).to_be_visible()

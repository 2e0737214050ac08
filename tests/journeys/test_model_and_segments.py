"""CS-ops: build a segment of what customers did, and change the model with a plan before it counts."""

import re

import pytest
from playwright.sync_api import Page, expect

from .conftest import Visit
from .sites import PASSWORD, Site

OPS = "ops@demo.keepwell.example"
WAIT = 120_000


@pytest.fixture
def ops(full: tuple[Site, str], visit: Visit) -> Page:
    """CS-ops, signed in."""
    return visit(full[1]).sign_in(OPS, PASSWORD)


def test_a_segment_of_behaviour_is_built_counted_and_saved(ops: Page) -> None:
    ops.goto("/segments/new")
    ops.get_by_label("Name", exact=True).fill("Signs in often")
    ops.get_by_role("button", name="Condition").click()
    about = ops.get_by_role("combobox", name="What the condition is about")
    about.fill("Did something")
    about.press("Enter")
    event = ops.get_by_label("Event", exact=True)
    event.fill("login")
    event.press("Tab")
    ops.get_by_label("How many times").fill("2")
    preview = ops.locator("#preview")
    expect(preview.get_by_text("ARR", exact=True)).to_be_visible()
    counted = int(preview.locator(".h1").first.inner_text())
    assert counted > 0
    expect(preview.locator(".list-group-item").first).to_be_visible()

    ops.locator("[data-mode=yaml]").click()
    expect(ops.get_by_label("Definition in YAML")).to_have_value(re.compile("login"))
    ops.locator("[data-mode=rows]").click()
    ops.get_by_role("button", name="Save", exact=True).click()
    ops.wait_for_url("**/segments/signs-in-often*")
    expect(ops.get_by_role("heading", name="Signs in often")).to_be_visible()
    ops.goto("/segments")
    expect(ops.get_by_role("link", name="Signs in often").first).to_be_visible()


def weights(page: Page) -> list[float]:
    """The weights of the first two components; all of them sum to 100."""
    return [float(page.locator("tr.kw-group input").nth(at).input_value()) for at in (0, 1)]


def test_a_weight_is_planned_applied_and_rolled_back(ops: Page) -> None:
    ops.goto("/model")
    before = weights(ops)
    after = [before[0] + 10, before[1] - 10]
    for at, value in enumerate(after):
        ops.locator("tr.kw-group input").nth(at).fill(str(value))
    ops.get_by_role("button", name="Save to my draft").first.click()
    expect(ops.get_by_role("heading", name="Your draft changes 2 things")).to_be_visible()
    ops.get_by_role("button", name="Plan this change").click()
    expect(ops.get_by_text("Customers who move")).to_be_visible(timeout=WAIT)
    ops.get_by_label("Why").fill("It tells more than we thought.")
    ops.get_by_role("button", name="Apply this change").click()
    ops.goto("/model/versions")
    newest = ops.locator(".list-group-item").first
    expect(newest.get_by_text("counts now")).to_be_visible()
    expect(newest.get_by_text("It tells more than we thought.")).to_be_visible()
    ops.goto("/model")
    assert weights(ops) == after

    ops.goto("/model/versions")
    earlier = ops.locator(".list-group-item").nth(1)
    earlier.locator("summary", has_text="Roll back to this").click()
    earlier.get_by_label("Why").fill("It did not.")
    earlier.get_by_role("button", name="Roll back").click()
    expect(ops.locator(".list-group-item").first.get_by_text("It did not.")).to_be_visible()
    ops.goto("/model")
    assert weights(ops) == before
    ops.goto("/audit")
    expect(ops.get_by_text("Rolled the model back").first).to_be_visible()


def test_a_bad_row_is_corrected_and_leaves_the_quarantine(ops: Page) -> None:
    ops.goto("/data/quarantine")
    ops.get_by_role("link", name="created_at").first.click()
    ops.get_by_label("Instead of soon").fill("2026-06-02")
    ops.get_by_label("Instead of later").fill("2026-06-03")
    ops.get_by_role("button", name="Correct and retry").click()
    expect(ops.locator("#job-status").get_by_text("Done").first).to_be_visible(timeout=WAIT)
    ops.get_by_role("link", name="Back to the data").click()
    ops.get_by_role("link", name="Quarantine").first.click()
    expect(ops.get_by_text("created_at")).to_have_count(0)

"""The first day: an address in the terminal becomes an admin, a computed day, and a colleague."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.interfaces.cli_world import LAST, keepwell
from tests.interfaces.serving import free_port, in_site, served
from tests.web import world

from .conftest import Visit

PASSWORD = "a password of the first day"  # noqa: S105 - of somebody who lives in a test
RUN_SECONDS = 120_000


@pytest.fixture
def fresh(tmp_path: Path) -> tuple[Path, int]:
    """A workspace with data that nobody has signed in to, and no computed day."""
    root, port = tmp_path / "acme", free_port()
    assert keepwell("init", root, "--pack", "agency-signals").code == 0
    assert keepwell("-w", root, "load", shutil.copytree(world(), tmp_path / "files")).code == 0
    with (root / "keepwell.toml").open("a") as config:
        config.write(f"[web]\ntoday = {LAST}\nport = {port}\n")
    in_site(root, "WorkspaceSetting.objects.create(name='daily_runs', value=False)")
    return root, port


def test_the_first_admin_comes_in_runs_a_day_and_invites(fresh: tuple[Path, int], visit: Visit) -> None:
    root, port = fresh
    with served(root, port) as there:
        link = re.search(r"http://\S+/start/\S+", (root / "serve.log").read_text())
        assert link is not None, "the terminal shows the way in"
        ada = visit(there.address).page
        ada.goto("/")
        assert "/accounts/login/" in ada.url, "nobody is in yet"
        ada.goto(link[0])
        ada.get_by_label("E-mail").fill("ada@example.com")
        ada.get_by_label("Your name").fill("Ada")
        ada.get_by_label("Password").fill(PASSWORD)
        ada.get_by_role("button", name="Continue").click()
        ada.wait_for_url("**/today")

        ada.goto("/portfolio")
        expect(ada.get_by_text("keepwell run").first).to_be_visible()
        ada.goto("/jobs")
        ada.get_by_role("button", name="Run now").click()
        expect(ada.locator("#job-status").get_by_text("Done").first).to_be_visible(timeout=RUN_SECONDS)
        ada.get_by_role("link", name="Open the queue").click()
        expect(ada.locator("[data-task]").first).to_be_visible()

        ada.goto("/people")
        ada.get_by_label("E-mail").fill("carl@example.com")
        ada.get_by_label("Name").fill("Carl")
        ada.get_by_label("Role").select_option("csm")
        ada.get_by_role("button", name="Make the invitation").click()
        invitation = ada.get_by_label("Link").input_value()

        carl = visit(there.address).page
        carl.goto(invitation)
        carl.get_by_label("Password").fill(PASSWORD)
        carl.get_by_role("button", name="Continue").click()
        carl.wait_for_url("**/today")
        expect(carl.get_by_role("link", name="People")).to_have_count(0)
        used = visit(there.address).page
        used.goto(link[0])
        expect(used.get_by_text("This link does not work")).to_be_visible()

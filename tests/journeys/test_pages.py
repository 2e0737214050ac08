"""Every page, wide and narrow, light and dark: nothing keeps people out, nothing jumps, nothing sticks out."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page

from .browser import NARROW, WIDE, Scheme
from .conftest import Visit
from .looks import MOST_SHIFT, barriers, looks, overflow, settled, shift, taken
from .sites import ADMIN, PASSWORD, Site

FOLDER = os.environ.get("KEEPWELL_SCREENSHOTS")


@pytest.mark.long
def test_every_page_is_open_to_all(of_model: tuple[Site, str], visit: Visit) -> None:
    site, address = of_model
    visitor = visit(address, size=NARROW)
    page = visitor.sign_in(ADMIN, PASSWORD)
    wrong: list[str] = []
    names = set()
    for look in looks(visitor.context.request, site.things):
        names.add(look.name)
        dressed(page, NARROW, "light")
        settled(page, look.path)
        wrong += [f"{look.path}: {said}" for said in faults(page)]
        if shift(page) > MOST_SHIFT:
            wrong.append(f"{look.path}: jumps by {shift(page):.2f} while it loads")
        dressed(page, WIDE, "dark")
        wrong += [f"{look.path}, wide and dark: {said}" for said in faults(page)]
    assert {"today", "customer", "portfolio", "model", "data", "jobs", "people", "settings"} <= names
    assert not wrong, "\n".join(wrong)


def dressed(page: Page, size: tuple[int, int], scheme: Scheme) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme=scheme)


def faults(page: Page) -> list[str]:
    wide = overflow(page)
    return barriers(page) + ([f"{wide} px wider than the window"] if wide > 0 else [])


def test_the_way_in_is_open_to_all(of_model: tuple[Site, str], visit: Visit) -> None:
    _, address = of_model
    for scheme in ("light", "dark"):
        page = visit(address, size=NARROW, scheme=scheme).page
        for path in ("/accounts/login/", "/accounts/password/reset/", "/start/unknown", "/nowhere"):
            settled(page, path)
            assert barriers(page) == []
            assert overflow(page) <= 0


@pytest.mark.skipif(not FOLDER, reason="KEEPWELL_SCREENSHOTS names no folder")
def test_screenshots_are_taken(of_model: tuple[Site, str], visit: Visit) -> None:
    site, address = of_model
    folder = Path(FOLDER or "") / site.root.parent.name.rstrip("0123456789")
    count = sum(1 for _ in taken(visit(address).browser, site, address, folder))
    assert count > 100

"""All pages of a served site, to look at: by eye, by axe, and by what layout tells."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import APIRequestContext, Browser, Page

from tests.interfaces.workspace.addresses import addresses

from .browser import NARROW, WIDE, Scheme, Visitor
from .sites import ADMIN, PASSWORD, Site

SERIOUS: Final = ("serious", "critical")
MOST_SHIFT: Final = 0.1
SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")
NOT_LOOKED_AT: Final = frozenset({"account_logout", "healthz", "home", "outgoing_html", "playbook_message_html"})
"""The last two are letters, sealed so well that nothing can look at them from inside; the pages around them are."""


@dataclass(frozen=True)
class Look:
    """A page to look at."""

    name: str
    path: str


def looks(request: APIRequestContext, things: dict[str, Any]) -> Iterator[Look]:
    """Every address that answers a GET with a whole page."""
    for address in addresses():
        if address.api or address.name in NOT_LOOKED_AT:
            continue
        given = {**things[""], **things.get(address.name, things.get(address.name.split("_")[0], {}))}
        path = f"{address.path(given)}?{given.get('?', '')}".removesuffix("?")
        answer = request.get(path, max_redirects=0)
        if answer.status == 200 and "<!doctype html>" in answer.text()[:100].lower():
            yield Look(address.name or re.sub(r"\W+", "-", address.route).strip("-"), path)


def settled(page: Page, path: str) -> None:
    """Open a page and wait until nothing loads any more."""
    page.goto(path)
    if page.locator("[hx-trigger*=load]").count():
        page.wait_for_load_state("networkidle")


def barriers(page: Page) -> list[str]:
    """What axe finds on a page that keeps people out."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {node['target'][0]} {node['html'][:160]}"
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"][:4]
    ]


def overflow(page: Page) -> int:
    """By how many pixels a page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def shift(page: Page) -> float:
    """How far the page jumped while it loaded (cumulative layout shift)."""
    return float(
        page.evaluate(
            "new Promise(done => { let sum = 0; new PerformanceObserver(list => { for (const one of list.getEntries())"
            " if (!one.hadRecentInput) sum += one.value; }).observe({type: 'layout-shift', buffered: true});"
            " setTimeout(() => done(sum), 50); })"
        )
    )


def taken(browser: Browser, site: Site, address: str, folder: Path) -> Iterator[Path]:
    """Screenshots of all pages at both widths, light and dark; yields each file when it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    for size in (WIDE, NARROW):
        for scheme in SCHEMES:
            visitor = Visitor(browser, address, size=size, scheme=scheme)
            page = visitor.sign_in(ADMIN, PASSWORD)
            for look in looks(visitor.context.request, site.things):
                settled(page, look.path)
                path = folder / f"{look.name}-{size[0]}-{scheme}.png"
                page.screenshot(path=path, full_page=True)
                yield path
            visitor.close()

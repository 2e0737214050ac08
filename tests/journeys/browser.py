"""The system's Chromium, and what every page is held to while a journey goes over it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
OPTIONS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage")
WIDE: Final = (1440, 900)
NARROW: Final = (390, 844)
Scheme = Literal["light", "dark"]
_PASSED_OVER: Final = ("Failed to load resource",)
"""The browser's own words for an answer such as 404 or 422, which a journey may want."""


def chromium() -> str | None:
    """Where the browser is: CHROMIUM names it, else the system's; None when there is none."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named if Path(named).exists() else None
    return next((found for found in map(shutil.which, NAMES) if found), None)


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser without a screen."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(OPTIONS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visitor:
    """Somebody at a browser of their own; everything that a page complains about is written down."""

    browser: Browser
    address: str
    size: tuple[int, int] = WIDE
    scheme: Scheme = "light"
    state: Any = None
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        width, height = self.size
        self.context = self.browser.new_context(
            base_url=self.address,
            viewport={"width": width, "height": height},
            color_scheme=self.scheme,
            reduced_motion="reduce",
            storage_state=self.state,
        )
        self.context.set_default_timeout(15_000)
        self.page = self.context.new_page()
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))

    def sign_in(self, email: str, password: str) -> Page:
        """Sign in through the form."""
        self.page.goto("/accounts/login/")
        self.page.get_by_label("E-mail").or_(self.page.get_by_label("Email")).fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url("**/today")
        return self.page

    def close(self) -> None:
        """Leave."""
        self.context.close()

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_PASSED_OVER):
            self.complaints.append(f"{self.page.url}: {message.text}")

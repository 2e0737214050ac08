"""Screenshots of every page at 1440 and 390 pixels, light and dark.

`python -m tests.journeys.screens FOLDER` makes a site, serves it, and puts them there; `--full` shows whole pages.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from playwright.sync_api import Browser

from .browser import NARROW, WIDE, Scheme, Visitor, launched
from .looks import looks, settled
from .sites import ADMIN, PASSWORD, Site

SCHEMES: tuple[Scheme, ...] = ("light", "dark")


def taken(browser: Browser, site: Site, address: str, folder: Path, *, full: bool = True) -> Iterator[Path]:
    """Take them all; yields each file when it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    for size in (WIDE, NARROW):
        for scheme in SCHEMES:
            visitor = Visitor(browser, address, size=size, scheme=scheme)
            page = visitor.sign_in(ADMIN, PASSWORD)
            for look in looks(visitor.context.request, site.things):
                settled(page, look.path)
                path = folder / f"{look.name}-{size[0]}-{scheme}.png"
                page.screenshot(path=path, full_page=full)
                yield path
            visitor.close()


def main() -> None:
    """Make a site, look at it, and leave the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--full", action="store_true", help="whole pages, not only the window")
    asked = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.django_settings"
    import_module("django").setup()
    serving, sites = import_module("tests.interfaces.serving"), import_module("tests.journeys.sites")
    with tempfile.TemporaryDirectory() as folder:
        site = sites.full_site(Path(folder))
        with serving.served(site.root, site.port) as there, launched() as browser:
            for path in taken(browser, site, there.address, asked.folder, full=asked.full):
                print(path, file=sys.stderr)


if __name__ == "__main__":
    main()

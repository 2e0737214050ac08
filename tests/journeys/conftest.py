"""The browser and the sites of journeys. Without a browser they are left out, and it is said why."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests.interfaces.serving import served

from .browser import Visitor, chromium, launched
from .sites import MODELS, Site, full_site, queue_site

Visit = Callable[..., Visitor]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All journeys are slow, and need a browser."""
    for item in items:
        if "journeys" in item.path.parts:
            item.add_marker(pytest.mark.slow)
            if chromium() is None:
                reason = "no Chromium: install it (apt install chromium) or name it with CHROMIUM=/path/to/chromium"
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for a module: closed with it, as its loop would stand in the way of Django's database."""
    with launched() as found:
        yield found


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    """The full site, served."""
    site = full_site(tmp_path_factory.mktemp("full"))
    with served(site.root, site.port) as there:
        yield site, there.address


@pytest.fixture(scope="module", params=MODELS)
def of_model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    """The full site of one model after the other, served."""
    site = full_site(tmp_path_factory.mktemp(request.param), request.param)
    with served(site.root, site.port) as there:
        yield site, there.address


@pytest.fixture(scope="module")
def queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    """The site with a queue, served."""
    site = queue_site(tmp_path_factory.mktemp("queue"))
    with served(site.root, site.port) as there:
        yield site, there.address


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Makes visitors; at the end of a journey no page may have complained."""
    visitors: list[Visitor] = []

    def made(address: str, **how: object) -> Visitor:
        visitors.append(Visitor(browser, address, **how))  # type: ignore[arg-type]
        return visitors[-1]

    yield made
    complaints = [said for visitor in visitors for said in visitor.complaints]
    for visitor in visitors:
        visitor.close()
    assert not complaints

"""Workspaces to walk through, each a folder of its own with data, people and work in it."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.interfaces.serving import free_port, in_site
from tests.web import LAST, household_workspace, published_workspace, signals_workspace

PASSWORD: Final = "keepwell-demo"  # noqa: S105 - of people who live in tests
ADMIN: Final = "admin@demo.keepwell.example"
MODELS: Final = ("b2b-saas", "agency-signals")
"""One that scores, and one that has segments and signals alone."""
_BEGIN: Final = "import json\nfrom tests.interfaces.workspace import page_world\n"


@dataclass(frozen=True)
class Site:
    """A workspace that can be served: `things` are what its addresses need."""

    root: Path
    port: int
    things: dict[str, Any]


def copied(source: Path, folder: Path) -> tuple[Path, int]:
    """A copy of a workspace without its people, in which it is the published day."""
    root, port = folder / "acme", free_port()
    shutil.copytree(source, root, ignore=shutil.ignore_patterns("web"))
    with (root / "keepwell.toml").open("a") as config:
        config.write(f"\n[web]\ntoday = {LAST}\nport = {port}\n")
    return root, port


def full_site(folder: Path, model: str = MODELS[0]) -> Site:
    """Work, faults in the data and a changed model: every page has something to show."""
    source = published_workspace() if model == MODELS[0] else signals_workspace()
    root, port = copied(source.root, folder)
    return Site(root, port, json.loads(in_site(root, f"{_BEGIN}print(json.dumps(page_world.furnished(workspace())))")))


def queue_site(folder: Path) -> Site:
    """The model of signals with the tasks of a day, and a CSM for each owner."""
    root, port = copied(signals_workspace().root, folder)
    return Site(root, port, json.loads(in_site(root, f"{_BEGIN}print(json.dumps(page_world.at_work(workspace())))")))


def household_site(folder: Path) -> Site:
    """The model of households with a CSM for each owner; playbooks are on, and letters wait for no morning."""
    root, port = copied(household_workspace().root, folder)
    (root / "model" / "calendar.yaml").write_text("calendar: {quiet_hours: null, quiet_days: []}\n", encoding="utf-8")
    return Site(
        root, port, json.loads(in_site(root, f"{_BEGIN}print(json.dumps(page_world.switched_on(workspace())))"))
    )

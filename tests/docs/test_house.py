"""The pages about the command line, workspaces and the house are held to the code."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from keepwell.interfaces.cli import app
from keepwell.services import workspace
from keepwell.services.exporting import EXPORTS, PUBLISHED

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
CLI = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_described(name: str) -> None:
    assert f"`{name}" in CLI


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_described(name: str) -> None:
    options = {text for parameter in COMMANDS[name].params for text in parameter.opts if text.startswith("-")}
    missing = {text for text in options if not re.search(rf"(?<![\w-]){re.escape(text)}(?![\w-])", CLI)}
    assert not missing
    assert COMMANDS[name].help


def test_every_export_is_described() -> None:
    assert all(f"`{name}`" in CLI for name in (*PUBLISHED, "customer_history"))
    assert set(PUBLISHED) < set(EXPORTS)


def test_every_key_of_the_configuration_is_described() -> None:
    page = (ROOT / "docs" / "workspace.md").read_text(encoding="utf-8")
    assert all(f"| `{key}` |" in page for key in workspace._KEYS)
    text = workspace._TEMPLATE.format(name='"a"', zone='"UTC"', currency='"USD"')
    defaults = {key: value for key, value in tomllib.loads(text)["workspace"].items() if key != "name"}
    assert all(f"| `{key}` | `{json.dumps(value)}` |" in page for key, value in defaults.items())


def test_the_template_has_every_key() -> None:
    text = workspace._TEMPLATE.format(name='"a"', zone='"UTC"', currency='"EUR"')
    assert set(tomllib.loads(text)["workspace"]) == workspace._KEYS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_every_room_is_on_the_page_in_order() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {path.name for path in (ROOT / "src" / "keepwell").iterdir() if path.is_dir() and path.name[0] != "_"}
    assert {room for room in rooms if f"`{room}`" not in page} == set()
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    contract = next(one for one in contracts if one["type"] == "layers")
    listed = [name.strip() for layer in contract["layers"] for name in layer.split("|")]
    assert set(listed) == rooms - {"packs"}
    table = [line for line in page.splitlines() if line.startswith("| `")]
    places = [next(i for i, row in enumerate(table) if f"`{room}`" in row.split("|")[1]) for room in listed]
    assert places == sorted(places)


def test_the_lock_file_pins_everything_and_names_no_host() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pinned = set(re.findall(r"(?m)^([a-z0-9-]+)==", lock))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[<>=\[]", text)[0].strip().lower().replace("_", "-") for text in wanted}
    assert names <= pinned
    assert not re.search(r"://|--index|--find|^/", lock, re.MULTILINE)


def test_the_readme_says_what_it_is_in_two_lines() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# Keepwell"
    assert [bool(line) for line in lines[1:5]] == [False, True, True, False]
    assert lines[5].startswith("![")


def test_decisions_are_numbered_without_gaps() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    assert all(re.match(rf"# {i}\. ", record.read_text()) for i, record in enumerate(records, 1))


def test_make_targets_are_explained() -> None:
    text = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"(?m)^([a-z]+):", text)) - {"help", "venv"}
    assert targets == {target for target in targets if f'"make {target} ' in text}


def test_json_names_are_described() -> None:
    for name in ("contributions", "ledger", "entries", "amount", "quality", "movers", "quarantine", "ahead", "nearest"):
        assert f"`{name}`" in CLI

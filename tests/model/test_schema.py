"""The JSON Schema describes exactly what the definitions take, for every file of a model."""

from pathlib import Path
from typing import Any

import pytest

from keepwell.model.packs import pack_directory, pack_names
from keepwell.model.schema import json_schema
from keepwell.model.source import model_files
from keepwell.model.yaml_source import Document, parse_yaml, read_yaml

GOOD = Path(__file__).parent / "good.yaml"
FILES = [GOOD, *(file for name in pack_names() for file in model_files(pack_directory(name)))]


def test_every_top_level_key_is_optional_and_no_other_is_taken() -> None:
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    computed = ["model", "settings", "metrics", "scores", "segments", "signals"]
    assert list(schema["properties"]) == [
        *computed,
        "playbooks",
        "messages",
        "calendar",
        "alerts",
        "surveys",
        "checklists",
    ]
    assert "required" not in schema
    assert schema["additionalProperties"] is False


def test_keys_are_named_as_yaml_writes_them() -> None:
    definitions = json_schema()["$defs"]
    assert {"from", "to", "points"} == set(definitions["Linear"]["properties"])
    assert "else" in definitions["Measure"]["properties"]
    assert list(definitions["NoneOf"]["properties"]) == ["not"]
    assert all(d.get("additionalProperties") is False for d in definitions.values() if d.get("type") == "object")


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}-{f.name}")
def test_the_files_we_ship_fit(file: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator(json_schema()).validate(read_yaml(file).data)


@pytest.mark.parametrize(
    "text",
    [
        "metrics: {a: {tabel: x}}",
        "signals: {a: {}}",
        "more: 1",
        "segments: {a: {when: {all: []}}}",
        "metrics: {a b: {}}",
    ],
)
def test_what_the_loader_refuses_does_not_fit(text: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    data: Any = parse_yaml(text, Document("x")).data
    assert not jsonschema.Draft202012Validator(json_schema()).is_valid(data)

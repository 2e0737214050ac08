"""The JSON Schema of a model file, generated from the definitions, for editors and other tools."""

from typing import Any, Final

from keepwell.model.definitions import Model

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of one file of a model: every top-level key may be in another file."""
    schema = Model.model_json_schema(by_alias=True, mode="validation")
    schema.pop("required", None)
    # A key without anything below it is the same as no key.
    schema["properties"] = {name: _or_empty(part) for name, part in schema["properties"].items()}
    _close(schema)
    return {"$schema": DIALECT, **schema, "title": "A file of a Keepwell model"}


def _or_empty(part: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [{key: value for key, value in part.items() if key != "default"}, {"type": "null"}]}


def _close(part: Any) -> None:
    """Where keys have a pattern, refuse the others, as the loader does."""
    if isinstance(part, dict):
        if "patternProperties" in part:
            part["additionalProperties"] = False
        for inner in part.values():
            _close(inner)
    elif isinstance(part, list):
        for inner in part:
            _close(inner)

"""The parser in C and the one in Python read the same from the same text."""

import random
from pathlib import Path

import pytest
import yaml

import keepwell
from keepwell.model import yaml_source
from keepwell.model.yaml_source import Document, parse_yaml

FILES = sorted(Path(keepwell.__file__).parent.rglob("*.yaml"))
PIECES = ("", "[", "{", '"', ":", "- ", "#", "\t", "|", ">", "é", "😀", "&a ", "*a ", "!x ", "\x07", "\n", "?", "---\n")
pytestmark = pytest.mark.skipif(not yaml.__with_libyaml__, reason="the library was built without its C part")


def _texts() -> list[str]:
    """Every model that comes along, as it is and with something broken; the same ones each time."""
    chance = random.Random(1)
    found = [path.read_text(encoding="utf-8") for path in FILES]
    for text in list(found):
        for piece in PIECES:
            at = chance.randrange(len(text))
            found.append(text[:at] + piece + text[at + chance.randrange(4) :])
    return found


def test_both_parsers_read_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [*_texts(), "", "[" * 3000, "a: |\n  b\n", 'k: "x\\\n  y"', "a: &x [*x]", "a: 1\na: 2", "x: 12:30\ny: no"]
    fast = [parse_yaml(text, Document("model.yaml")) for text in texts]
    monkeypatch.setattr(yaml_source, "_FAST", yaml_source._Loader)
    assert [parse_yaml(text, Document("model.yaml")) for text in texts] == fast
    assert sum(bool(document.problems) for document in fast) > len(FILES)

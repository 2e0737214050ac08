"""Finding models by the name of a pack or by directory."""

from pathlib import Path

import pytest

from keepwell.model import packs
from keepwell.model.problems import DefinitionError

MODEL = 'model: {name: tiny, version: "1"}\n'


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("alpha-pack", "beta-pack"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.yaml").write_text(MODEL)
    (tmp_path / "not-a-pack").mkdir()
    monkeypatch.setattr(packs, "packs_directory", lambda: tmp_path)
    return tmp_path


def test_packs_are_found_by_name(shipped: Path) -> None:
    assert packs.pack_names() == ("alpha-pack", "beta-pack")
    assert packs.pack_directory("beta-pack") == shipped / "beta-pack"
    assert packs.resolve_model("beta-pack").documents[0].path == "beta-pack/model.yaml"


def test_a_directory_is_a_model_too(shipped: Path) -> None:
    assert packs.resolve_model(shipped / "alpha-pack").model.model.name == "tiny"
    assert packs.resolve_model(str(shipped / "alpha-pack")).model.model.name == "tiny"


def test_a_wrong_name_gets_the_nearest(shipped: Path) -> None:
    with pytest.raises(DefinitionError, match="there is no pack 'alpa-pack'; did you mean 'alpha-pack'"):
        packs.resolve_model("alpa-pack")
    with pytest.raises(DefinitionError, match="there are: alpha-pack, beta-pack"):
        packs.resolve_model("zzz")


def test_a_wrong_directory_is_named(shipped: Path) -> None:
    with pytest.raises(DefinitionError, match="there is no such directory"):
        packs.resolve_model(shipped / "gone")

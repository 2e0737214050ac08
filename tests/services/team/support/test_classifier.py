"""The classifier: learned from labels, measured on what it has not seen, and left alone where it is no use."""

import csv
import gzip
from pathlib import Path
from typing import Final

import pytest

from keepwell.services.team.support import classifier
from keepwell.services.team.support.classifier import learn, learned_of, predict
from keepwell.services.team.support.tickets import DeskTicket
from keepwell.services.workspace import Workspace
from tests.web import NOW

from .made import desk, ticket

pytestmark = pytest.mark.django_db
SAMPLE: Final = Path(__file__).parents[3] / "data" / "tickets_it_service.csv.gz"


@pytest.fixture(scope="module")
def labelled() -> list[DeskTicket]:
    """Real tickets of an IT service desk with the topics that people gave them."""
    with gzip.open(SAMPLE, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [ticket(f"t-{n}", body=one["Document"], category=one["Topic_group"]) for n, one in enumerate(rows)]


def test_it_learns_from_real_tickets_and_is_measured(published: Workspace, labelled: list[DeskTicket]) -> None:
    pytest.importorskip("sklearn")
    found = learn(published, desk(), labelled, NOW)
    assert found.used
    assert found.accuracy is not None
    assert found.accuracy > 0.7
    assert found.sure_accuracy is not None
    assert found.sure_accuracy > found.accuracy
    assert found.rules_accuracy is not None
    assert found.rules_accuracy < found.accuracy
    assert learned_of() == found
    said = predict(published, [ticket(body="please reset my password for the laptop and grant access to the folder")])
    assert said is not None
    assert said[0][0] in {one.category for one in labelled}
    assert 0 < said[0][1] <= 1


def test_little_news_is_not_learned_again(
    published: Workspace, labelled: list[DeskTicket], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sklearn")
    first = learn(published, desk(), labelled[:400], NOW)
    monkeypatch.setattr(classifier, "_learned", lambda *_: pytest.fail("learned again"))
    assert learn(published, desk(), labelled[:401], NOW) == first


def test_few_labels_are_too_few(published: Workspace, labelled: list[DeskTicket]) -> None:
    pytest.importorskip("sklearn")
    found = learn(published, desk(), labelled[:60], NOW)
    assert not found.used
    assert "too few" in found.why
    assert predict(published, labelled[:1]) is None


def test_what_rules_said_is_no_label(published: Workspace) -> None:
    pytest.importorskip("sklearn")
    guessed = [ticket(f"t-{n}", subject="Error") for n in range(300)]
    assert learn(published, desk(), guessed, NOW).labels == 0


def test_without_the_libraries_the_rules_judge(
    published: Workspace, labelled: list[DeskTicket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifier, "installed", lambda: False)
    found = learn(published, desk(), labelled, NOW)
    assert not found.used
    assert "keepwell[ml]" in found.why
    assert predict(published, labelled[:1]) is None

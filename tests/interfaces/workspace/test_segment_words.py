"""What a segment's page says in words."""

from dataclasses import replace
from typing import Any

import pytest

from keepwell.interfaces.workspace.pages import segment_profile
from keepwell.reporting.patterns import Pattern
from keepwell.services.segment_figures import profile
from tests.web import MakeClient

pytestmark = pytest.mark.django_db


def test_what_sets_a_segment_apart_writes_money_as_the_rest_does(
    client_of: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Pattern("arr", "ARR", "number", "", 0.5, 0.4, 0.6, "large", 121_000, 4_000, 9, 9, None, None, False, "money")

    def with_money(*args: Any) -> Any:
        found = profile(*args)
        assert found is not None
        return replace(found, characteristics=(one,))

    monkeypatch.setattr(segment_profile, "profile", with_money)
    headers = {"HX-Request": "true", "HX-Target": "figures"}
    shown = client_of("ops").get("/segments/healthy_stable", headers=headers).content.decode()
    assert "median 121k EUR against 4k EUR" in shown
    assert "€" not in shown

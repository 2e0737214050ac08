"""The layout of letters loads nothing from anybody: whoever reads them is told to nobody."""

import re

from keepwell.services.team.outbox.letters import Letter, laid_out


def test_a_letter_loads_nothing_from_outside() -> None:
    html = laid_out(Letter("Hello", "A line", "Some **text**.", "Open", "https://app.example.com/"))
    loaded = re.findall(r"(?:src|@import\s+url|<link[^>]+href)\s*[=(]\s*[\"']?(https?:[^\"')>\s]+)", html)
    assert loaded == []
    assert "fonts.googleapis.com" not in html

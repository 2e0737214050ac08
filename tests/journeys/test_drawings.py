"""The drawing of every playbook of every pack, measured where it is shown: no words leave a box or lie on others."""

from pathlib import Path
from typing import Any, Final

from django.template.loader import render_to_string
from playwright.sync_api import Browser

import keepwell.interfaces.workspace
from keepwell.interfaces.workspace.playbook_flow import flow_of
from keepwell.interfaces.workspace.playbook_steps import steps_shown
from keepwell.interfaces.workspace.playbook_words import trigger_words
from keepwell.model.packs import pack_directory, pack_names, resolve_model
from keepwell.warehouse.columns import TABLE_COLUMNS

STATIC: Final = Path(keepwell.interfaces.workspace.__file__).parent / "static"
MEASURED: Final = """() => {
  const found = [];
  for (const box of document.querySelectorAll(".kw-flow-box")) {
    const name = box.closest("section").id;
    const frame = box.querySelector(".kw-flow-shape").getBBox();
    const texts = [...box.querySelectorAll("text")].map((text) => ({ words: text.textContent, at: text.getBBox() }));
    for (const { words, at } of texts) {
      const left = at.x - frame.x, right = frame.x + frame.width - at.x - at.width;
      const below = frame.y + frame.height - at.y - at.height;
      if (Math.min(left, right) < 4 || below < -1) found.push(`${name}: “${words}” leaves its box`);
    }
    texts.forEach((one, i) => texts.slice(i + 1).forEach((other) => {
      const wide = Math.min(one.at.x + one.at.width, other.at.x + other.at.width) - Math.max(one.at.x, other.at.x);
      const high = Math.min(one.at.y + one.at.height, other.at.y + other.at.height) - Math.max(one.at.y, other.at.y);
      if (wide > 0 && high > 5) found.push(`${name}: “${one.words}” and “${other.words}” lie on each other`);
    }));
  }
  return { found, boxes: document.querySelectorAll(".kw-flow-box").length };
}"""


def drawings() -> str:
    """Every playbook, drawn, in a section that says whose it is."""
    parts = []
    for pack in pack_names():
        model = resolve_model(pack_directory(pack), tables=TABLE_COLUMNS).model
        for name, playbook in model.playbooks.items():
            steps = steps_shown(model, playbook)
            flow = flow_of(steps, trigger_words(model, playbook.trigger))
            known = {"flow": flow, "steps": steps, "label": name}
            parts.append(
                f'<section id="{pack}.{name}">{render_to_string("workspace/playbooks/flow.html", known)}</section>'
            )
    return "".join(parts)


def test_words_stay_in_their_boxes(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(drawings())
    for style in ("vendor/tabler/tabler.min.css", "keepwell/keepwell.css", "keepwell/playbooks.css"):
        page.add_style_tag(path=STATIC / style)
    measured: dict[str, Any] = page.evaluate(MEASURED)
    page.close()
    assert measured["boxes"] > 300
    assert not measured["found"]

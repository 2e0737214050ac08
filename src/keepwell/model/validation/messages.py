"""Messages are good templates: their placeholders can be filled in, and somebody sends them."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from liquid.exceptions import LiquidError

from keepwell.model.message_text import FIELDS, TAGS, Use, liquid_uses
from keepwell.model.playbook_parts import message_of
from keepwell.model.problems import Problem, did_you_mean
from keepwell.model.validation.context import Context
from keepwell.model.yaml_source import KeyPath

TEXTS: Final = ("subject", "preview", "button", "link", "text")


def check(context: Context) -> Iterable[Problem]:
    """Templates that cannot be read, unknown fields and filters, and messages that nothing sends."""
    sent = {found[1] for p in context.model.playbooks.values() for s in p.steps if (found := message_of(s))}
    sent |= {survey.message for survey in context.model.surveys.values() if survey.message}
    lost = any(path[:1] in (("playbooks",), ("surveys",)) for path in context.broken)
    for name, message in context.model.messages.items():
        for key in TEXTS:
            yield from _template(context, ("messages", name, key), getattr(message, key))
        if name not in sent and not lost:
            yield context.warning(("messages", name), "no step sends this message", key=True)


def _template(context: Context, path: KeyPath, text: str) -> Iterator[Problem]:
    try:
        uses = liquid_uses(text)
    except LiquidError as error:
        token = error.token
        shift = token.start_index if token is not None and token.start_index >= 0 else None
        yield context.error(path, f"not a good template: {_first_line(error)}", shift=shift)
        return
    for use in uses:
        message = _field(context, use) if use.kind == "field" else _unknown(use)
        if message:
            yield context.error(path, message, shift=_place(text, use))


def _field(context: Context, use: Use) -> str:
    root, _, name = use.name.partition(".")
    known = _known(context, root)
    if known is None:
        roots = (*FIELDS, "customer", "setting")
        return f"unknown field '{use.name}'{did_you_mean(root, roots)}; fields begin with {', '.join(sorted(roots))}"
    if not name:
        return f"'{root}' needs a field: {root}.{next(iter(sorted(known)), 'name')}"
    if name in known:
        return ""
    what = {"setting": "setting", "customer": "field of the customer"}.get(root, f"field of {root}")
    return f"unknown {what} '{use.name}'{did_you_mean(name, known)}"


def _known(context: Context, root: str) -> frozenset[str] | None:
    if root == "customer":
        return context.customer_names | frozenset(FIELDS["customer"])
    if root == "setting":
        return context.setting_names
    found = FIELDS.get(root)
    return None if found is None else frozenset(found)


def _unknown(use: Use) -> str:
    if use.kind == "filter":
        return f"unknown filter '{use.name}'{did_you_mean(use.name, use.known)}" if use.name not in use.known else ""
    return "" if use.name in TAGS else f"tag '{use.name}' may not be used; there are {', '.join(sorted(TAGS))}"


def _place(text: str, use: Use) -> int:
    """Where the word stands: the library points at the beginning of the expression around it."""
    found = re.compile(rf"(?<![\w.]){re.escape(use.name)}(?!\w)").search(text, max(0, use.at))
    return found.start() if found else max(0, use.at)


def _first_line(error: LiquidError) -> str:
    return str(error.args[0] if error.args else error).splitlines()[0]

"""Every address there is, from the resolver itself, so that none can be forgotten."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern

PARTS: Final = re.compile(r"<(?:(\w+):)?(\w+)>")
GROUPS: Final = re.compile(r"\(\?P<(\w+)>[^)]*\)")
ANY: Final = {"int": "1", "form": "csv", "key": "a-b", "uidb36": "1", "provider_id": "sso"}
API: Final = ("/api/", "/v1/", "/hooks/", "/in-app/")


@dataclass(frozen=True)
class Address:
    """One address: its pattern, its name, and the names of its arguments."""

    route: str
    name: str
    arguments: tuple[str, ...]

    @property
    def api(self) -> bool:
        """Whether programs call it."""
        return self.path().startswith(API)

    def path(self, values: Mapping[str, Any] | None = None) -> str:
        """The address with these arguments, and any for the others."""
        given = values or {}

        def filled(found: re.Match[str]) -> str:
            kind, name = (found.group(1), found.group(2)) if found.re is PARTS else (None, found.group(1))
            return str(given.get(name) or ANY.get(name) or ANY.get(kind or "") or "x")

        return "/" + GROUPS.sub(filled, PARTS.sub(filled, self.route))


def addresses() -> list[Address]:
    """All of them, in the order in which they are looked at; one that an earlier one hides is left out."""
    found: dict[str, Address] = {}
    for address in _walk(get_resolver().url_patterns, ""):
        found.setdefault(address.path(), address)
    return list(found.values())


def _walk(patterns: Sequence[Any], prefix: str) -> Iterator[Address]:
    for pattern in patterns:
        text = str(pattern.pattern)
        if isinstance(pattern.pattern, RegexPattern):
            # Groups stay; what else a pattern of these may hold is an anchor or a dot.
            text = text.removeprefix("^").removesuffix("$").replace("\\.", ".")
        route = prefix + text
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            names = [name for _, name in PARTS.findall(GROUPS.sub("", route))] + GROUPS.findall(route)
            yield Address(route, pattern.name or "", tuple(names))

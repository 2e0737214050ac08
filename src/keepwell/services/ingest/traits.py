"""Traits as columns: what a canonical table has a column for goes there, the rest stays a trait."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from keepwell.services.ingest.values import cell, first, mapping, sound_tree, text
from keepwell.warehouse.tables import COMMON, CUSTOMERS, PEOPLE, Table

_NOT_TRAITS: Final = {column.name for column in COMMON} | {
    "customer_id",
    "person_id",
    "product_user_id",
    "parent_customer_id",
    "updated_at",
    "first_seen_at",
    "last_seen_at",
    "traits",
}
_ALIASES: Final = {"employees": "company_size", "company_name": "name", "firstname": "first_name"}
_COMPANY: Final = ("customer_id", "customerId", "company_id", "companyId", "group_id", "groupId")


@dataclass
class Said:
    """What a message says of a customer or a person."""

    columns: dict[str, Any] = field(default_factory=dict)
    traits: dict[str, Any] = field(default_factory=dict)


def customer_said(traits: Mapping[str, Any]) -> Said:
    """What the traits of a group say of a customer."""
    said = _said(CUSTOMERS, traits)
    site = text(traits.get("website"))
    if "domain" not in said.columns and site and (domain := _domain(site)):
        said.columns["domain"] = domain
    country = text(mapping(traits.get("address")).get("country"))
    if "country" not in said.columns and country:
        said.columns["country"] = country
    return said


def person_said(traits: Mapping[str, Any]) -> Said:
    """What the traits of a user say of a person."""
    said = _said(PEOPLE, traits)
    if "name" not in said.columns:
        names = [first(traits, "firstName", "first_name"), first(traits, "lastName", "last_name")]
        if any(names):
            said.columns["name"] = " ".join(name for name in names if name)
    return said


def company_of(traits: Mapping[str, Any]) -> str | None:
    """The customer that a person's traits name."""
    company = mapping(traits.get("company"))
    return first(company, "id", *_COMPANY) or first(traits, *_COMPANY)


def _said(table: Table, traits: Mapping[str, Any]) -> Said:
    said = Said()
    for name, value in traits.items():
        column_name = _column_name(name)
        column = None if column_name in _NOT_TRAITS else table.column(column_name)
        found = None if column is None or column.name not in _own(table) else cell(column, value)
        if found is None:
            said.traits[name] = value
        else:
            said.columns[column_name] = found
    said.traits = sound_tree(said.traits)
    return said


def _own(table: Table) -> set[str]:
    return {column.name for column in table.columns}


def _column_name(name: str) -> str:
    """`renewalDate` and `Renewal date` are renewal_date."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip()).lower()
    plain = re.sub(r"[\s\-.]+", "_", snake)
    return _ALIASES.get(plain, plain)


def _domain(site: str) -> str | None:
    try:
        host = urlsplit(site if "//" in site else f"//{site}").hostname
    except ValueError:
        return None
    return host.removeprefix("www.") if host and "." in host else None

"""One at a time for one customer: whoever moves its runs holds it until the transaction ends."""

import hashlib
from typing import Final

from django.db import connection

_CLASS: Final = 0x6B77
"""Sets these locks apart from whatever else the database is used for."""


def hold_customer(customer_id: str, *, wait: bool) -> bool:
    """Hold a customer within this transaction; False when another worker does and `wait` is off.

    PostgreSQL has locks for it. SQLite has one writer at a time, and our transactions begin as writers.
    """
    if connection.vendor != "postgresql":
        return True
    function = "pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, %s)", [_CLASS, _number(customer_id)])
        row = cursor.fetchone()
    return wait or bool(row and row[0])


def _number(customer_id: str) -> int:
    return int.from_bytes(hashlib.sha256(customer_id.encode()).digest()[:4], "big", signed=True)

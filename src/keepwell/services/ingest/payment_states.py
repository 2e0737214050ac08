"""Whether a customer's payments go through, as billing says it: a column of the customer that segments and scores read.

A failed payment is a row or an event of its own, too; without this the customer would stay "current" until a CRM says
otherwise. Only a customer who is known gets it: who pays is not told by a payment alone.
"""

from typing import Final

from keepwell.services.ingest.batch import Batch, Row
from keepwell.services.ingest.known import Known

STATES: Final = {
    "invoice.paid": "current",
    "invoice.payment_failed": "failed",
    "payment_succeeded": "current",
    "payment_failed": "failed",
}
"""What happened, by Stripe's name and by that of billing that is not Stripe."""


def put_payment_state(happened: str, customer_id: str, at: str, about: Row, known: Known, batch: Batch) -> None:
    """Put what happened says of the payments of a customer into a batch; `about` is where it comes from, and when."""
    customer = known.customer(customer_id, batch.links) if happened in STATES else None
    if customer is not None:
        row = {"customer_id": customer, "name": known.customers[customer].name}
        row |= {"payment_status": STATES[happened], "updated_at": at}
        batch.part_of_customer({**row, "source": about["source"], "synced_at": about["synced_at"]})

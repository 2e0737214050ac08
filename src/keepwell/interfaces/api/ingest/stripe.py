"""`/hooks/stripe`: events of Stripe, signed."""

import os
import time
from typing import Final

from django.http import HttpResponse, JsonResponse

from keepwell.interfaces.api.ingest.answers import Refused, body_of, receives
from keepwell.interfaces.api.ingest.writing import written
from keepwell.interfaces.api.security import ApiRequest
from keepwell.services.ingest import Rejected, SignatureError, checked_stripe, verify_stripe
from keepwell.services.ingest.messages import parsed

SECRET: Final = "KEEPWELL_STRIPE_WEBHOOK_SECRET"  # noqa: S105 - its name
_BYTES: Final = 1024 * 1024


@receives
def stripe(request: ApiRequest) -> HttpResponse:
    """One event; on disk when it is answered."""
    secrets = os.environ.get(SECRET, "").replace(",", " ").split()
    if not secrets:
        # Stripe sends it again for three days.
        raise Refused(404, "Not set up", f"{SECRET} is not set: it is the endpoint's signing secret, whsec_…")
    raw = body_of(request, _BYTES)
    try:
        # The time that it really is: what a demo pretends is nothing to a sender.
        verify_stripe(raw, request.headers.get("Stripe-Signature", ""), secrets, now=int(time.time()))
        accepted = checked_stripe(parsed(raw), received_at=request.now)
    except SignatureError as error:
        raise Refused(400, "Signature does not fit", str(error)) from None
    except Rejected as error:
        said = f"{error.where} {error.said}".strip()
        raise Refused(400, "Request cannot be used", said) from None
    new = written([accepted], request.now)
    return JsonResponse({"received": True, "repeated": not all(new)})

"""Stripe's signatures, held to what the vendor's own library makes and takes."""

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from keepwell.services.ingest import SignatureError, verify_stripe

SECRET = "whsec_test_secret"  # noqa: S105 - of nobody
AT = 1_700_000_000
# Made with stripe-python 16.1.0.
PAYLOAD = (
    b'{"id":"evt_test","object":"event","type":"invoice.payment_failed",'
    b'"data":{"object":{"id":"in_1","object":"invoice"}}}'
)
HEADER = f"t={AT},v1=6a10263c25dfea8f14a89d84505e43d0817cd37ed3652fcbe9b25666e165d6e4"


def test_the_published_signature_fits() -> None:
    verify_stripe(PAYLOAD, HEADER, [SECRET], now=AT)
    verify_stripe(PAYLOAD, HEADER.replace("v1=", "v0=00,v1=zz,v1="), ["other", SECRET], now=AT + 300)


@pytest.mark.parametrize(
    ("header", "body", "now", "said"),
    [
        (HEADER, PAYLOAD + b" ", AT, "No signature fits"),
        (HEADER, PAYLOAD, AT + 301, "last 5 minutes"),
        (HEADER, PAYLOAD, AT - 301, "last 5 minutes"),
        (HEADER.replace(str(AT), str(AT + 1)), PAYLOAD, AT, "No signature fits"),
        (HEADER.replace("v1", "v0"), PAYLOAD, AT, "has no t= and v1="),
        ("", PAYLOAD, AT, "has no t= and v1="),
        ("t=²,v1=a", PAYLOAD, AT, "has no t= and v1="),
        (f"t={'9' * 5000},v1=a", PAYLOAD, AT, "has no t= and v1="),
        (f"t={AT},v1=ö\udcff", PAYLOAD, AT, "No signature fits"),
    ],
)
def test_what_does_not_fit_is_refused(header: str, body: bytes, now: int, said: str) -> None:
    with pytest.raises(SignatureError, match=said):
        verify_stripe(body, header, [SECRET], now=now)


def vendor_takes(body: str, header: str) -> bool:
    try:
        return bool(stripe.WebhookSignature.verify_header(body, header, SECRET))
    except stripe.SignatureVerificationError:
        return False


def we_take(body: str, header: str) -> bool:
    try:
        verify_stripe(body.encode(), header, [SECRET], now=AT)
    except SignatureError:
        return False
    return True


@given(
    body=st.text(st.characters(codec="utf-8")),
    signed=st.booleans(),
    spoilt=st.sampled_from(["", ",v1=00", ",v0=1", ",", " ", "0"]),
)
def test_we_take_what_the_vendor_takes(body: str, signed: bool, spoilt: str) -> None:
    text = f"{AT}.{body}" if signed else body
    signature = stripe.WebhookSignature._compute_signature(text, SECRET)
    header = f"t={AT},v1={signature}{spoilt}"
    assert we_take(body, header) == vendor_takes(body, header)

"""What other programs send as it happens: Segment's calls and Stripe's events. Plain views, for speed."""

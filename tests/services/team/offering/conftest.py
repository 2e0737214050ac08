"""A customer to offer something to."""

import pytest

from keepwell.services.published import PortfolioQuery, PortfolioRow, portfolio_rows
from keepwell.services.workspace import Workspace


@pytest.fixture
def row(published: Workspace) -> PortfolioRow:
    """A customer who pays."""
    return next(one for one in portfolio_rows(published, PortfolioQuery()) if one.owner_email and one.mrr)

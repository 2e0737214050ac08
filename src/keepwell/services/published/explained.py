"""One customer explained from what is published alone: no page waits for the warehouse."""

from datetime import date
from functools import cached_property

from keepwell.model.loader import LoadedModel
from keepwell.services.explaining import Changed, Explained, before_leaving, changed_between, explain_found
from keepwell.services.published.copies import copies_needed
from keepwell.services.published.kept_models import kept_model
from keepwell.services.reading import Published, Row, published_date
from keepwell.services.workspace import Workspace, WorkspaceError


class _Published(Published):
    """A published date whose model is read once for all who ask."""

    @cached_property
    def model(self) -> LoadedModel:
        """The model that the rows were made with, as it was then."""
        return kept_model(self.workspace, self.about["keepwell.model_hash"])


def customer_explained(workspace: Workspace, customer_id: str, as_of: date | None = None) -> Explained:
    """Explain a customer on a published date, the current one if left out.

    Who left is explained on the last published day before that. Raises WorkspaceError when there is no such date or
    customer.
    """
    day = copies_needed(workspace).as_of if as_of is None else published_date(workspace.snapshots, as_of)
    published: Published = _Published(workspace, day)
    notes: tuple[str, ...] = ()
    found = _row(published, customer_id)
    if found["status"] == "churned":
        earlier, notes = before_leaving(published, found, asked=as_of is not None)
        published = _Published(workspace, earlier.as_of)
        found = _row(published, customer_id)
    return explain_found(published, found, notes, alone=True)


def customer_changed(workspace: Workspace, customer_id: str, *, since: date, as_of: date | None = None) -> Changed:
    """What changed for a customer between two published dates; raises WorkspaceError in words that can be shown."""
    now = customer_explained(workspace, customer_id, as_of)
    if since >= now.published.as_of:
        raise WorkspaceError(f"the earlier date ({since}) must be before {now.published.as_of}")
    return changed_between(customer_explained(workspace, customer_id, since), now)


def _row(published: Published, customer_id: str) -> Row:
    rows = published.rows(["customer_id", "name", "status", "churned_on"], customer=customer_id)
    if not rows:
        raise WorkspaceError(f"there is no customer '{customer_id}' on {published.as_of}")
    return rows[0]

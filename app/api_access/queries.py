"""What is read about API clients; foreign and absent look the same."""

import uuid
from collections.abc import Iterable, Mapping

from sqlalchemy import select

from app.identity.models import ApiClient, ClientCredential, Person
from app.kernel.errors import NotFoundError
from app.work import Work


def visible_client(work: Work, trader_id: uuid.UUID | None, key: uuid.UUID) -> ApiClient:
    """A client of this trader, or with `None` of the agency; `NotFoundError` for any other.

    The caller has checked that the actor may see the owner's clients.
    """
    found = work.session.get(ApiClient, key)
    if found is None or found.trader_id != trader_id:
        raise NotFoundError
    return found


def visible_credential(work: Work, client: ApiClient, key: uuid.UUID) -> ClientCredential:
    """A credential of a client that is known to be visible; `NotFoundError` for any other."""
    found = work.session.get(ClientCredential, key)
    if found is None or found.api_client_id != client.id:
        raise NotFoundError
    return found


def makers_of(work: Work, credentials: Iterable[ClientCredential]) -> Mapping[uuid.UUID, str]:
    """The names of the people who made them, by the person's id."""
    keys = {one.created_by for one in credentials if one.created_by is not None}
    if not keys:
        return {}
    rows = work.session.execute(select(Person.id, Person.name).where(Person.id.in_(keys)))
    return dict(rows.all())

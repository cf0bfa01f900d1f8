"""When an API client and its credential were last used, told to the minute.

A call of a busy program costs no write: only one that finds the note a minute old renews it, and
of many at once only the first, because the condition is asked again under the row's lock.
"""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from app.db.session import Principal, Role, transaction
from app.identity.models import ApiClient, ClientCredential
from app.web.wiring import wiring

NOTED_EVERY = timedelta(minutes=1)
NOTER = Principal("system:last-use", role=Role.ENTRY)


def note_use(client: ApiClient, credential: ClientCredential) -> None:
    """Note that both are used now, unless that was noted within the last minute."""
    wired = wiring()
    now = wired.clock.now()
    before = now - NOTED_EVERY
    noted = (client.last_used_at, credential.last_used_at)
    if all(one is not None and one > before for one in noted):
        return
    with transaction(wired.engine, NOTER) as db:
        renew(db, client.id, credential.id, now)


def renew(db: Session, client_id: uuid.UUID, credential_id: uuid.UUID, now: datetime) -> None:
    """Note in the caller's short transaction that both were used, unless that is a minute fresh."""
    before = now - NOTED_EVERY
    for model, key in ((ApiClient, client_id), (ClientCredential, credential_id)):
        db.execute(
            update(model)
            .where(model.id == key)
            .where(or_(model.last_used_at.is_(None), model.last_used_at <= before))
            .values(last_used_at=now)
        )

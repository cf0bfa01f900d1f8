"""When an API client and its credential were last used, told to the minute.

A call of a busy program costs no write: only one that finds the note a minute old renews it, and
of many at once only the first, because the condition is asked again under the row's lock.
"""

from datetime import timedelta

from sqlalchemy import or_, update

from app.db.session import Principal, transaction
from app.identity.models import ApiClient, ClientCredential
from app.web.wiring import wiring

NOTED_EVERY = timedelta(minutes=1)
NOTER = Principal("system:last-use")


def note_use(client: ApiClient, credential: ClientCredential) -> None:
    """Note that both are used now, unless that was noted within the last minute."""
    wired = wiring()
    now = wired.clock.now()
    before = now - NOTED_EVERY
    noted = (client.last_used_at, credential.last_used_at)
    if all(one is not None and one > before for one in noted):
        return
    with transaction(wired.engine, NOTER) as db:
        for model, key in ((ApiClient, client.id), (ClientCredential, credential.id)):
            db.execute(
                update(model)
                .where(model.id == key)
                .where(or_(model.last_used_at.is_(None), model.last_used_at <= before))
                .values(last_used_at=now)
            )

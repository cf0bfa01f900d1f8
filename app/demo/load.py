"""Fill an empty demo database, and hand out the demo clients' credentials at each start."""

import json
import os
import uuid
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, select

from app.config import Settings
from app.db.session import BoundSession, Principal
from app.demo.accounts import HARBOUR
from app.demo.stage import DEMO
from app.demo.story import tell
from app.identity import service
from app.identity.models import ApiClient
from app.identity.scopes import SCOPES, Audience
from app.kernel.clock import SystemClock
from app.traders.models import Trader
from app.work import Work

INTERNAL = "Demo release system"
TRADERS_OWN = "Demo importer's filing system"


def load(engine: Engine, settings: Settings) -> None:
    """Tell the whole story, from two years ago to now, through the services."""
    tell(engine, settings, until=SystemClock().now())


def write_client_files(engine: Engine, settings: Settings) -> None:
    """Give both demo clients new secrets and write them, readable by the owner alone.

    Secrets are not kept, so each start makes new ones and ends those of the last start. Nobody
    gets a letter about that.
    """
    with BoundSession(engine, Principal(DEMO.principal)) as session, session.begin():
        work = Work(session=session, actor=DEMO, now=SystemClock().now())
        importer = session.scalars(select(Trader).where(Trader.name == HARBOUR)).one()
        internal = _with_new_secret(work, INTERNAL, Audience.INTERNAL)
        own = _with_new_secret(work, TRADERS_OWN, Audience.TRADER, importer.id)
    home = Path(settings.home)
    _write(home / "demo-client.json", settings, *internal, "/api/v1")
    _write(home / "demo-trader-client.json", settings, *own, "/trader/v1")


def _with_new_secret(
    work: Work, name: str, audience: Audience, trader_id: uuid.UUID | None = None
) -> tuple[ApiClient, str | None]:
    found = work.session.scalars(
        select(ApiClient)
        .where(ApiClient.name == name, ApiClient.trader_id.is_not_distinct_from(trader_id))
        .where(ApiClient.revoked_at.is_(None))
        .order_by(ApiClient.created_at.desc())
    ).first()
    if found is None:
        return service.create_client(work, name=name, scopes=SCOPES[audience], trader_id=trader_id)
    service.wake_client(work, found)
    _, secret = service.rotate_credential(work, found, overlap=timedelta())
    return found, secret


def _write(
    path: Path, settings: Settings, client: ApiClient, secret: str | None, base: str
) -> None:
    body = {
        "client_id": client.client_id,
        "client_secret": secret,
        "token_url": f"{settings.address}/oauth/token",
        "base_url": f"{settings.address}{base}",
    }
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as opened:
        os.fchmod(opened.fileno(), 0o600)
        json.dump(body, opened, indent=2)
        opened.write("\n")

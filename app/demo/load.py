"""Fill an empty demo database, and hand out the demo clients' credentials at each start."""

import json
import os
from pathlib import Path

from sqlalchemy import Engine, select

from app.config import Settings
from app.db.session import BoundSession, Principal
from app.demo.accounts import HARBOUR
from app.demo.stage import DEMO
from app.demo.story import tell
from app.identity import scopes, service
from app.identity.models import ApiClient
from app.kernel.clock import SystemClock
from app.reactions import REACTIONS
from app.traders.models import Trader
from app.work import Work

INTERNAL = "Demo release system"
TRADERS_OWN = "Demo importer's filing system"


def load(engine: Engine, settings: Settings) -> None:
    """Tell the whole story, from two years ago to now, through the services."""
    tell(engine, settings, until=SystemClock().now())


def write_client_files(engine: Engine, settings: Settings) -> None:
    """Make both demo clients anew and write their credentials, readable by the owner alone.

    Secrets are not kept, so each start revokes the clients of the last one.
    """
    with BoundSession(engine, Principal(DEMO.principal)) as session, session.begin():
        work = Work(session=session, actor=DEMO, now=SystemClock().now(), reactions=REACTIONS)
        for old in session.scalars(
            select(ApiClient).where(
                ApiClient.name.in_([INTERNAL, TRADERS_OWN]), ApiClient.revoked_at.is_(None)
            )
        ):
            service.revoke_client(work, old)
        importer = session.scalars(select(Trader).where(Trader.name == HARBOUR)).one()
        internal, internal_secret = service.create_client(
            work, name=INTERNAL, scopes=scopes.SCOPES[scopes.Audience.INTERNAL]
        )
        own, own_secret = service.create_client(
            work,
            name=TRADERS_OWN,
            scopes=scopes.SCOPES[scopes.Audience.TRADER],
            trader_id=importer.id,
        )
    home = Path(settings.home)
    _write(home / "demo-client.json", settings, internal, internal_secret, "/api/v1")
    _write(home / "demo-trader-client.json", settings, own, own_secret, "/trader/v1")


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

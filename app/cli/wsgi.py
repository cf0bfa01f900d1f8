"""What a server's worker process calls to get the application."""

import json
import os

from sqlalchemy import Engine

from app import create_app
from app.cli.runtime import with_secret
from app.config import Settings, read_settings
from app.db.session import make_engine
from app.traders.sealing import equip
from app.web.logs import configure_logs
from app.web.requests import FairwayApp

HANDOVER = "SERVE_FAIRWAY"
"""The variable through which a serving process hands its workers the database's address."""


def handed_over() -> tuple[Settings, str, Engine]:
    """Settings, database address and engine, as the serving process hands them over."""
    settings = with_secret(read_settings())
    equip(settings.secret_key)
    url = json.loads(os.environ[HANDOVER])["app_url"]
    return settings, url, make_engine(url)


def build() -> FairwayApp:
    """The application of this process's surface."""
    configure_logs()
    settings, _url, engine = handed_over()
    return create_app(settings.surface, settings=settings, engine=engine)

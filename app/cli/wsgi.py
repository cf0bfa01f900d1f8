"""What a server's worker process calls to get the application."""

import atexit
import gc
import json
import os
from pathlib import Path

from sqlalchemy import Engine

from app.cli.runtime import with_secret
from app.config import Settings, read_settings
from app.db.session import make_engine
from app.status_api.register_map import FOLDER
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


def map_folder(settings: Settings) -> Path:
    """Where this host's feeder keeps the register for its workers."""
    return settings.home / FOLDER


def build() -> FairwayApp:
    """The application of this process's surface, with its recorder of look-ups at work."""
    # Whoever only joins what is served, as the worker does, goes without all the pages.
    from app import create_app  # noqa: PLC0415
    from app.status_api.of_map import recorder  # noqa: PLC0415

    configure_logs()
    settings, _url, engine = handed_over()
    fed = bool(json.loads(os.environ[HANDOVER]).get("map"))
    app = create_app(
        settings.surface,
        settings=settings,
        engine=engine,
        register_map=map_folder(settings) if fed else None,
    )
    if fed:
        with app.app_context():
            found = recorder()
        found.start()
        atexit.register(found.stop)
    # What stands now stays: a full collection need not walk through it while look-ups wait.
    gc.collect()
    gc.freeze()
    return app

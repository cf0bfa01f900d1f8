"""What a server's worker process calls to get the application."""

import atexit
import gc
from pathlib import Path

from app import create_app
from app.cli.handover import HANDOVER, handed_over, roles_of
from app.config import Settings
from app.status_api.of_map import recorder
from app.status_api.register_map import FOLDER
from app.web.logs import configure_logs
from app.web.requests import FairwayApp


def map_folder(settings: Settings) -> Path:
    """Where this host's feeder keeps the register for its workers."""
    return settings.home / FOLDER


def build() -> FairwayApp:
    """The application of this process's surface, with its recorder of look-ups at work."""
    configure_logs()
    handed = handed_over()
    if handed is None:
        msg = f"The server's processes are started by `fairway serve`, which sets {HANDOVER}."
        raise RuntimeError(msg)
    settings = handed.settings
    app = create_app(
        settings.surface,
        settings=settings,
        engine=handed.engine(roles_of(settings)),
        register_map=map_folder(settings) if handed.fed else None,
    )
    if handed.fed:
        with app.app_context():
            found = recorder()
        found.start()
        atexit.register(found.stop)
    # What stands now stays: a full collection need not walk through it while look-ups wait.
    gc.collect()
    gc.freeze()
    return app

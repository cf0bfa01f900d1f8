"""Give an application the map of the register, the recorder of look-ups, and the lane."""

from pathlib import Path

from app.identity.recognise import signer as tokens
from app.status_api.bulk_lane import BulkLane
from app.status_api.kept import lookup_record, signer
from app.status_api.lane import Lane
from app.status_api.of_map import recorder
from app.status_api.register_map import MapReader
from app.web.requests import FairwayApp
from app.web.wiring import wiring


def feed(app: FairwayApp, folder: Path) -> None:
    """Let look-ups read the map in `folder`, and unless it is switched off open the lane."""
    reader = app.extensions["fairway_register_map"] = MapReader(folder)
    with app.app_context():
        wired = wiring()
        app.extensions["fairway_lookups"] = recorder()
        if wired.settings.lane == "on":
            app.lane = lane = Lane(
                app.wsgi_app,
                reader=reader,
                recorder=recorder(),
                record=lookup_record(),
                tokens=tokens(),
                answers=signer(),
                clock=wired.clock,
                behind_proxy=wired.settings.trusted_proxies > 0,
            )
            app.bulk_lane = BulkLane(
                app.wsgi_app,
                lane=lane,
                reader=reader,
                recorder=recorder(),
                record=lookup_record(),
                clock=wired.clock,
            )

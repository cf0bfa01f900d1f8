"""What a serving process hands to the processes that it starts: by what logins they connect."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import Engine

from app.cli.runtime import Runtime, with_secret
from app.config import Settings, read_settings
from app.db.session import Role, make_engine, make_engines
from app.traders.sealing import equip

HANDOVER: Final = "SERVE_FAIRWAY"
"""The variable through which a serving process hands its children the database's addresses."""

Part = Literal["portal", "console", "api", "all"]
# A person who signs in at the console may be a trader's, and sees their own rows alone there.
OF_SURFACE: Final[Mapping[Part, tuple[Role, ...]]] = {
    "portal": (Role.PORTAL, Role.API, Role.ENTRY),
    "console": (Role.CONSOLE, Role.PORTAL, Role.ENTRY),
    "api": (Role.API, Role.ENTRY),
    "all": (Role.PORTAL, Role.CONSOLE, Role.API, Role.ENTRY),
}
# Jobs, the seal and the feeder.
OF_WORKER: Final = (Role.WORKER,)


def roles_of(settings: Settings) -> tuple[Role, ...]:
    """The roles of the surface that the settings name; the demonstration shows letters besides."""
    return OF_SURFACE[settings.surface] + (OF_WORKER if settings.demo_mode else ())


@dataclass(frozen=True, slots=True)
class Handed:
    """What a child process has been given; `fed` says whether this host keeps a register."""

    settings: Settings
    urls: Mapping[Role, str]
    fed: bool

    def engine(self, roles: Iterable[Role]) -> Engine:
        """An engine for these roles alone."""
        return make_engines({role: self.urls[role] for role in roles})

    def engine_of_commands(self) -> Engine:
        """The engine of the commands' login; `KeyError` unless it was handed over."""
        return make_engine(self.urls[Role.COMMAND])


def hand_over(run: Runtime, roles: Iterable[Role], *, fed: bool = False) -> str:
    """The variable's value: the addresses of these roles and no others.

    The commands' own is among them for the telling of the demonstration's story alone.
    """
    known = {**run.logins, Role.COMMAND: run.app_url}
    return written({role: known[role] for role in roles}, fed=fed)


def written(urls: Mapping[Role, str], *, fed: bool = False) -> str:
    """The variable's value for these addresses."""
    return json.dumps({"urls": {str(role): url for role, url in urls.items()}, "map": fed})


def handed_over() -> Handed | None:
    """What this process was handed, or `None` when somebody else started it."""
    if HANDOVER not in os.environ:
        return None
    given = json.loads(os.environ[HANDOVER])
    settings = with_secret(read_settings())
    equip(settings.secret_key)
    return Handed(settings, {Role(k): v for k, v in given["urls"].items()}, bool(given["map"]))

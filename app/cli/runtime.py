"""Where a command finds its database, its keys and its unit of work."""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

from app.authz.actor import Actor, system_actor
from app.config import Settings, read_settings
from app.db import migrate
from app.db.embedded import Cluster
from app.db.session import PARTS, BoundSession, Principal, Role, make_engine
from app.kernel.clock import SystemClock
from app.notifications import letters
from app.publications.queries import altered_here
from app.reactions import REACTIONS
from app.traders.sealing import equip
from app.work import Work

DEMO_MARK = "demo-data"
DEMO_DONE = "demo-data-complete"


class RefusedError(Exception):
    """The command is refused, for the reason that its text gives (exit code 1)."""


@dataclass(slots=True)
class Runtime:
    """What a command runs with. `owner_url` is `None` where only the application's role is known.

    `logins` are the addresses by which the processes that serve connect, one for each role.
    """

    settings: Settings
    app_url: str
    owner_url: str | None
    engine: Engine
    logins: Mapping[Role, str] = field(default_factory=dict)

    @contextmanager
    def work(self, actor: Actor | None = None) -> Iterator[Work]:
        """One unit of work, committed at the end."""
        who = actor or system_actor("cli")
        with BoundSession(self.engine, Principal(who.principal)) as session, session.begin():
            yield Work(session=session, actor=who, now=SystemClock().now(), reactions=REACTIONS)


@contextmanager
def runtime(*, check_demo: bool = True) -> Iterator[Runtime]:
    """Settings, secrets and a running database; an embedded one that we started is stopped again."""
    settings = with_secret(read_settings())
    equip(settings.secret_key)
    letters.equip(settings.address)
    if check_demo:
        refuse_demo_home(settings)
    if settings.database_url is not None:
        engine = make_engine(settings.database_url)
        try:
            yield Runtime(
                settings,
                settings.database_url,
                settings.database_owner_url,
                engine,
                logins_of_server(settings, settings.database_url),
            )
        finally:
            engine.dispose()
        return
    with Cluster(settings.home / "postgres") as cluster:
        engine = make_engine(cluster.app_url())
        try:
            logins: dict[Role, str] = {role: cluster.url_of(role) for role in PARTS}
            yield Runtime(settings, cluster.app_url(), cluster.owner_url(), engine, logins)
        finally:
            engine.dispose()


def logins_of_server(settings: Settings, url: str) -> dict[Role, str]:
    """By what address each role connects to a server of the operator's own.

    Where no login was given, the application's takes the role within each transaction.
    """
    given = zip(PARTS, map(setting_of, PARTS), strict=True)
    return {role: getattr(settings, name) or url for role, name in given}


def setting_of(role: Role) -> str:
    """The name of the setting that holds the address of the role's login."""
    return f"database_{role.name.lower()}_url"


def with_secret(settings: Settings) -> Settings:
    """The settings with a secret and key folder: the given ones, or those kept in the home."""
    keys = settings.keys_dir or settings.home / "keys"
    secret = settings.secret_key or _kept_secret(keys / "secret")
    files = settings.files_url or f"file:{(settings.home / 'files').resolve()}"
    return settings.model_copy(update={"keys_dir": keys, "secret_key": secret, "files_url": files})


def _kept_secret(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("ascii").strip()
    with os.fdopen(handle, "w") as opened:
        value = secrets.token_urlsafe(48)
        opened.write(value + "\n")
    return value


def refuse_demo_home(settings: Settings) -> None:
    """A home that ever held demo data never serves real traders."""
    if (settings.home / DEMO_MARK).exists() and not settings.demo_mode:
        raise RefusedError(
            f"{settings.home} holds demo data, so it serves only as a demo"
            " (FAIRWAY_DEMO=1 on a loopback host). Give FAIRWAY_HOME another folder."
        )


def migrate_to_head(run: Runtime) -> bool:
    """Bring the database to the newest revision; tell whether there was anything to do."""
    if migrate.current(run.app_url) == migrate.head():
        return False
    if run.owner_url is None:
        raise RefusedError(
            "The database needs migrations: run `fairway db upgrade` with"
            " FAIRWAY_DATABASE_OWNER_URL set."
        )
    migrate.upgrade(run.owner_url)
    return True


def refuse_altered_criteria(work: Work) -> None:
    """Nobody is asked by criteria that two people have not signed: a changed file ends the start."""
    found = altered_here(work.session)
    if found:
        names = ", ".join(f"{one.catalogue_id}-{one.version}.yaml" for one in found)
        raise RefusedError(
            f"These files of criteria are no longer what was published: {names}. Install the signed"
            " files again; a change, be it a comma, is a new version."
        )


def empty(run: Runtime) -> None:
    """Take an embedded database back to nothing and build it anew; for unfinished demo data."""
    if run.owner_url is None or not run.settings.demo_mode:
        raise RefusedError("Only a demo database is ever emptied.")
    run.engine.dispose()
    migrate.downgrade(run.owner_url, "base")
    migrate.upgrade(run.owner_url)

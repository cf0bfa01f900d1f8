"""What counting the requests of an API client costs: status lookups with the count, and without.

RATIO client_quota_vs_none  lookups a second with the count, over the same without (exit 2: too noisy)
"""

import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app import create_app
from app.authz.actor import system_actor
from app.config import Settings
from app.db.embedded import Cluster
from app.db.migrate import upgrade
from app.db.session import BoundSession, Principal, make_engine
from app.identity import quota, recognise, service
from app.kernel.clock import SystemClock
from app.kernel.ids import new_token
from app.work import Work

ROUNDS = 15
LOOKUPS = 200
PARALLEL = 4
LARGEST_NOISE = 0.05
ADDRESS = "/api/v1/partners/ior/12-345678900/status"


class Uncounted:
    """Stands in the place of the module that counts."""

    @staticmethod
    def count(_db, _client):
        return ()

    @staticmethod
    def judge(_client, _counted):
        return None


def lookups(app, headers, *, counted):
    """Lookups a second of one client that sends four at a time."""
    recognise.quota = quota if counted else Uncounted

    def ask(_):
        answer = app.test_client().get(ADDRESS, headers=headers)
        if answer.status_code >= 300:  # noqa: PLR2004 - the border that HTTP draws.
            raise RuntimeError(answer.text)

    begun = time.perf_counter()
    with ThreadPoolExecutor(PARALLEL) as pool:
        list(pool.map(ask, range(LOOKUPS)))
    return LOOKUPS / (time.perf_counter() - begun)


def main():
    with tempfile.TemporaryDirectory() as folder, Cluster(Path(folder) / "postgres") as cluster:
        upgrade(cluster.owner_url())
        engine = make_engine(cluster.app_url())
        home = Path(folder)
        settings = Settings(home=home, keys_dir=home / "keys", secret_key=new_token())
        actor = system_actor("bench")
        with BoundSession(engine, Principal(actor.principal)) as session, session.begin():
            work = Work(session=session, actor=actor, now=SystemClock().now())
            row, secret = service.create_client(work, name="Bench", scopes=["status:read"])
            service.set_quota(work, row, per_minute=10**9, per_day=10**9)
        app = create_app("api", settings=settings, engine=engine)
        token = (
            app.test_client()
            .post(
                "/oauth/token",
                auth=(row.client_id, secret),
                data={"grant_type": "client_credentials"},
            )
            .json["access_token"]
        )
        headers = {"Authorization": f"Bearer {token}"}
        lookups(app, headers, counted=True)
        found, control = [], []
        for _ in range(ROUNDS):
            none = lookups(app, headers, counted=False)
            found.append(lookups(app, headers, counted=True) / none)
            control.append(lookups(app, headers, counted=False) / none)
        engine.dispose()
    print(f"A/A {statistics.median(control):.3f} ({min(control):.3f} to {max(control):.3f})")
    print(f"RATIO client_quota_vs_none {statistics.median(found):.3f}")
    # Two runs of the same thing that differ this much say nothing about a third.
    return 0 if abs(statistics.median(control) - 1) <= LARGEST_NOISE else 2


if __name__ == "__main__":
    sys.exit(main())

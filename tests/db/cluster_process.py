"""A process of its own that uses a cluster and is told what to do, one JSON line at a time.

`python -m tests.db.cluster_process PERSON FOLDER OPTIONS`: becomes PERSON if it is not that already
(everything is imported before, since PERSON may not be able to read the interpreter's folder).
"""

import json
import os
import pwd
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import psycopg

from app.db.embedded import Cluster, ClusterError


def become(name: str) -> None:
    person = pwd.getpwnam(name)
    if os.geteuid() != person.pw_uid:
        os.setgroups([])
        os.setgid(person.pw_gid)
        os.setuid(person.pw_uid)


def query(cluster: Cluster, role: str, database: str, statement: str) -> list[list[str]]:
    url = cluster.owner_url(database) if role == "owner" else cluster.app_url(database)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        found = connection.execute(statement)
        return [[str(value) for value in row] for row in found] if found.description else []


def start(cluster: Cluster) -> dict[str, str]:
    facts = {name: str(value) for name, value in asdict(cluster.start()).items()}
    with psycopg.connect(cluster.app_url().replace("+psycopg", "")) as connection:
        row = connection.execute("SELECT version()").fetchone()
    return {**facts, "version": str(row and row[0])}


VERBS: dict[str, Callable[..., object]] = {"start": start, "stop": Cluster.stop, "query": query}


def main() -> None:
    person, folder, options = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
    become(person)
    for name in ("bin_dir", "refuge"):
        if name in options:
            options[name] = Path(options[name])
    cluster = Cluster(folder, **options)
    for line in sys.stdin:
        verb, *rest = json.loads(line)
        try:
            answer = {"ok": VERBS[verb](cluster, *rest)}
        except (ClusterError, psycopg.Error) as error:
            answer = {type(error).__name__: str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

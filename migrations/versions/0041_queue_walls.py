"""Who puts which jobs into the queue: each role its own, about rows that it sees.

A job runs as the worker, which sees everybody. Whoever could run SQL in the portal could have had it
write to the officers of companies that they know nothing of, or work on anybody's file again.
"""

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

# Task, the argument that names its row, and where the role must see that row.
ABOUT = {
    "advance_data.check": ("batch_id", ("batch", "id")),
    "advance_data.measure": ("batch_id", ("batch", "id")),
    "delegations.tell": ("delegation_id", ("delegation", "id")),
    "documents.scan": ("revision_id", ("document_revision", "id")),
    # Letters are not read back by those who write them; the row is found by a random number alone.
    "notifications.deliver": ("message_id",),
    # By who asked, and by who was asked.
    "verifications.bring": ("verification_id", ("verification", "id"), ("consent", "verification_id")),
}
TASKS = {
    "portal": tuple(ABOUT),
    "console": ("documents.scan", "notifications.deliver"),
    "api": ("advance_data.check", "advance_data.measure"),
    "entry": ("notifications.deliver",),
}
# Files of one company are checked in turn, and nobody waits in another's.
IN_TURN = "(lock IS NULL OR EXISTS (SELECT FROM trader AS one WHERE lock = 'filings:' || one.id))"
TURN = {"portal": IN_TURN, "api": IN_TURN}


def rule(task):
    argument, *seen = ABOUT[task]
    named = f"(args ->> '{argument}')::uuid"
    rows = " OR ".join(
        f"EXISTS (SELECT FROM {table} AS about WHERE about.{column} = {named})" for table, column in seen
    )
    return f"WHEN '{task}' THEN {rows or f'{named} IS NOT NULL'}"


def upgrade():
    op.execute("ALTER TABLE procrastinate.procrastinate_jobs ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE procrastinate.procrastinate_events ENABLE ROW LEVEL SECURITY")
    for table in ("jobs", "events"):
        op.execute(
            f"CREATE POLICY works ON procrastinate.procrastinate_{table}"
            " TO fairway_worker, fairway_app USING (true) WITH CHECK (true)"
        )
    for role, tasks in TASKS.items():
        cases = " ".join(map(rule, tasks))
        op.execute(
            f"CREATE POLICY puts_{role} ON procrastinate.procrastinate_jobs FOR INSERT"
            f" TO fairway_{role} WITH CHECK (CASE task_name {cases} ELSE false END"
            " AND status = 'todo' AND attempts = 0 AND queue_name = 'default'"
            " AND scheduled_at IS NULL AND NOT abort_requested AND worker_id IS NULL"
            f" AND priority = 0 AND queueing_lock IS NULL AND {TURN.get(role, 'lock IS NULL')})"
        )
        # The number is given back to who put the job there; no other column is theirs to read.
        op.execute(
            f"CREATE POLICY numbers_{role} ON procrastinate.procrastinate_jobs FOR SELECT"
            f" TO fairway_{role} USING (true)"
        )
        op.execute(
            f"CREATE POLICY puts_{role} ON procrastinate.procrastinate_events FOR INSERT"
            f" TO fairway_{role} WITH CHECK (type = 'deferred')"
        )


def downgrade():
    for role in TASKS:
        op.execute(f"DROP POLICY puts_{role} ON procrastinate.procrastinate_jobs")
        op.execute(f"DROP POLICY numbers_{role} ON procrastinate.procrastinate_jobs")
        op.execute(f"DROP POLICY puts_{role} ON procrastinate.procrastinate_events")
    for table in ("jobs", "events"):
        op.execute(f"DROP POLICY works ON procrastinate.procrastinate_{table}")
        op.execute(f"ALTER TABLE procrastinate.procrastinate_{table} DISABLE ROW LEVEL SECURITY")

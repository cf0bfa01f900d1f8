"""The tables of app.register: determinations, the sequencer and its changes, the ledger."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, TSTZRANGE, ExcludeConstraint

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
STATUSES = (
    "applicant",
    "certified",
    "validated",
    "suspended",
    "removed",
    "withdrawn",
    "ineligible",
    "rejected",
)

GUARDS = """
-- A person's own transaction may sign for that person only. Other principals (the worker, the
-- command line, a take-on) are the system's, and the columns say on whose behalf they act.
CREATE FUNCTION fairway_signs_for(person uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT coalesce(current_setting('app.principal', true), '') NOT LIKE 'person:%'
      OR current_setting('app.principal', true) = 'person:' || person
$$;

-- What was proposed is what is signed: only the decision itself can be added, once.
CREATE FUNCTION fairway_guard_determination() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  decision text[] := ARRAY['state', 'decided_by', 'decided_by_name', 'decided_at',
                           'decision_note', 'seq', 'version'];
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'a determination is never deleted' USING ERRCODE = 'restrict_violation';
  ELSIF TG_OP = 'INSERT' THEN
    IF (NEW.origin, NEW.state) NOT IN
        (('proposal', 'proposed'), ('urgent', 'in_force'), ('take-on', 'taken_on')) THEN
      RAISE EXCEPTION 'a determination of origin % does not begin as %', NEW.origin, NEW.state
        USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.decided_by IS NOT NULL OR NEW.decided_at IS NOT NULL THEN
      RAISE EXCEPTION 'a determination does not begin decided' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.proposed_by IS NOT NULL AND NOT fairway_signs_for(NEW.proposed_by) THEN
      RAISE EXCEPTION 'nobody proposes in another name' USING ERRCODE = 'check_violation';
    END IF;
  ELSE
    IF to_jsonb(NEW) - decision <> to_jsonb(OLD) - decision THEN
      RAISE EXCEPTION 'what was proposed stays as it was proposed'
        USING ERRCODE = 'restrict_violation';
    END IF;
    IF (OLD.state, NEW.state) NOT IN (('proposed', 'approved'), ('proposed', 'declined'),
        ('proposed', 'withdrawn'), ('in_force', 'countersigned')) THEN
      RAISE EXCEPTION 'a determination does not go from % to %', OLD.state, NEW.state
        USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state = 'withdrawn' AND NOT fairway_signs_for(NEW.proposed_by)
        OR NEW.state <> 'withdrawn' AND NOT fairway_signs_for(NEW.decided_by) THEN
      RAISE EXCEPTION 'nobody decides in another name' USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$;

-- Dense and in order: one step at a time, and the clock of the ledger never stands or goes back.
CREATE FUNCTION fairway_guard_sequencer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' AND NEW.last = 1
      OR TG_OP = 'UPDATE' AND NEW.last = OLD.last + 1 AND NEW.at > OLD.at THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'the sequencer only takes its next step' USING ERRCODE = 'restrict_violation';
END $$;

-- A change has the number and the instant that its own transaction took from the sequencer.
CREATE FUNCTION fairway_guard_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM register_sequencer s WHERE s.last = NEW.seq AND s.at = NEW.at) THEN
    RAISE EXCEPTION 'the change is not the sequencer''s newest' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

-- The ledger grows. The one update is the end of an entry's time as our knowledge, and it ends
-- at the instant of the change that ends it.
CREATE FUNCTION fairway_guard_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  head register_sequencer%ROWTYPE;
BEGIN
  SELECT * INTO head FROM register_sequencer;
  IF TG_OP = 'INSERT' THEN
    IF head.last = NEW.seq AND NEW.recorded = tstzrange(head.at, NULL, '[)') THEN
      RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an entry is recorded with the newest change, and until further notice'
      USING ERRCODE = 'check_violation';
  ELSIF TG_OP = 'UPDATE' AND upper_inf(OLD.recorded)
      AND to_jsonb(NEW) - 'recorded' = to_jsonb(OLD) - 'recorded'
      AND NEW.recorded = tstzrange(lower(OLD.recorded), head.at, '[)') THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'the ledger is only added to' USING ERRCODE = 'restrict_violation';
END $$;

-- Looked at when the transaction commits: every entry rests on two signatures of two people, on
-- an urgent suspension, or on a take-on.
CREATE FUNCTION fairway_check_signatures() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM determination d
    WHERE d.id = NEW.determination_id
      AND d.trader_id = NEW.trader_id AND d.programme = NEW.programme
      AND (d.origin = 'proposal' AND d.state = 'approved'
             AND d.decided_by IS NOT NULL AND d.decided_by <> d.proposed_by
           OR d.origin = 'urgent' AND d.state IN ('in_force', 'countersigned')
           OR d.origin = 'take-on' AND d.state = 'taken_on');
  IF NOT FOUND THEN
    RAISE EXCEPTION 'an entry needs the signatures of two people'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
"""

TRIGGERS = """
CREATE TRIGGER guard BEFORE INSERT OR UPDATE OR DELETE ON determination
  FOR EACH ROW EXECUTE FUNCTION fairway_guard_determination();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON determination
  FOR EACH STATEMENT EXECUTE FUNCTION fairway_refuse_change();
CREATE TRIGGER guard BEFORE INSERT OR UPDATE OR DELETE ON register_sequencer
  FOR EACH ROW EXECUTE FUNCTION fairway_guard_sequencer();
CREATE TRIGGER guard BEFORE INSERT ON register_change
  FOR EACH ROW EXECUTE FUNCTION fairway_guard_change();
CREATE TRIGGER guard BEFORE INSERT OR UPDATE OR DELETE ON register_entry
  FOR EACH ROW EXECUTE FUNCTION fairway_guard_entry();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON register_entry
  FOR EACH STATEMENT EXECUTE FUNCTION fairway_refuse_change();
CREATE CONSTRAINT TRIGGER signatures AFTER INSERT ON register_entry
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fairway_check_signatures();

SELECT fairway_protect('determination', 'SELECT, INSERT, UPDATE');
SELECT fairway_protect('register_sequencer', 'SELECT, INSERT, UPDATE');
SELECT fairway_append_only('register_change');
SELECT fairway_protect('register_entry', 'SELECT, INSERT, UPDATE');
"""


def listed(*values):
    return ", ".join(f"'{value}'" for value in values)


def check(table, name, rule):
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def upgrade():
    # Part of the embedded server already; a trusted extension on any other.
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    create_determination()
    create_sequencer()
    create_entry()
    op.execute(GUARDS)
    op.execute(TRIGGERS)


def create_determination():
    op.create_table(
        "determination",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("programme", sa.Text, nullable=False),
        sa.Column("programme_version", sa.Text, nullable=False),
        sa.Column("move", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("tier", sa.BigInteger),
        sa.Column("restrictions", ARRAY(sa.Text), nullable=False),
        sa.Column("reason_code", sa.Text, nullable=False),
        sa.Column("reason_text", sa.Text, nullable=False),
        sa.Column("effective_from", INSTANT),
        sa.Column("effective_until", INSTANT),
        sa.Column("case_id", sa.Uuid),
        sa.Column("proposed_by", sa.Uuid),
        sa.Column("proposed_by_name", sa.Text, nullable=False),
        sa.Column("proposed_at", INSTANT, nullable=False),
        sa.Column("decided_by", sa.Uuid),
        sa.Column("decided_by_name", sa.Text),
        sa.Column("decided_at", INSTANT),
        sa.Column("decision_note", sa.Text),
        sa.Column("countersign_due_at", INSTANT),
        sa.Column("file_sha256", sa.Text),
        sa.Column("os_account", sa.Text),
        sa.Column("seq", sa.BigInteger),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_determination"),
        sa.UniqueConstraint("reference", name="uq_determination_reference"),
        sa.ForeignKeyConstraint(["trader_id"], ["trader.id"], name="fk_determination_trader_id"),
        check("determination", "status", f"status IN ({listed(*STATUSES)})"),
        check("determination", "origin", "origin IN ('proposal', 'urgent', 'take-on')"),
        check(
            "determination",
            "state",
            "state IN ('proposed', 'approved', 'declined', 'withdrawn', 'in_force',"
            " 'countersigned', 'taken_on')",
        ),
        check("determination", "two_people", "decided_by <> proposed_by"),
        check(
            "determination",
            "decided",
            "(decided_at IS NOT NULL) = (state IN"
            " ('approved', 'declined', 'withdrawn', 'countersigned'))"
            " AND (decided_by IS NOT NULL) = (state IN"
            " ('approved', 'declined', 'countersigned'))",
        ),
        check(
            "determination",
            "proposer",
            "proposed_by IS NOT NULL OR origin <> 'proposal' AND os_account IS NOT NULL",
        ),
        check(
            "determination",
            "take_on",
            "(origin = 'take-on') = (file_sha256 IS NOT NULL)"
            " AND (origin <> 'take-on' OR os_account IS NOT NULL)",
        ),
        check(
            "determination",
            "urgent",
            "(origin = 'urgent') = (countersign_due_at IS NOT NULL)"
            " AND (origin <> 'urgent' OR status NOT IN ('certified', 'validated'))",
        ),
        check(
            "determination",
            "seq",
            "(seq IS NOT NULL) = (state IN ('approved', 'in_force', 'countersigned', 'taken_on'))",
        ),
    )
    op.create_index(
        "ix_determination_trader_id_proposed_at", "determination", ["trader_id", "proposed_at"]
    )
    op.create_index(
        "uq_determination_open",
        "determination",
        ["trader_id", "programme", "move"],
        unique=True,
        postgresql_where=sa.text("state = 'proposed'"),
    )
    op.create_index(
        "ix_determination_unsigned",
        "determination",
        ["proposed_at"],
        postgresql_where=sa.text("state IN ('proposed', 'in_force')"),
    )


def create_sequencer():
    op.create_table(
        "register_sequencer",
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_register_sequencer"),
        check("register_sequencer", "single", "id = 1"),
    )
    op.create_table(
        "register_change",
        sa.Column("seq", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_register_change"),
        sa.ForeignKeyConstraint(["trader_id"], ["trader.id"], name="fk_register_change_trader_id"),
        check("register_change", "kind", "kind IN ('standing', 'identifier')"),
    )
    op.create_index("ix_register_change_trader_id_seq", "register_change", ["trader_id", "seq"])


def create_entry():
    op.create_table(
        "register_entry",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("programme", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("tier", sa.BigInteger),
        sa.Column("restrictions", ARRAY(sa.Text), nullable=False),
        sa.Column("reason_code", sa.Text, nullable=False),
        sa.Column("reason_text", sa.Text, nullable=False),
        sa.Column("valid", TSTZRANGE, nullable=False),
        sa.Column("recorded", TSTZRANGE, nullable=False),
        sa.Column("determination_id", sa.Uuid, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_register_entry"),
        sa.ForeignKeyConstraint(["trader_id"], ["trader.id"], name="fk_register_entry_trader_id"),
        sa.ForeignKeyConstraint(
            ["determination_id"],
            ["determination.id"],
            name="fk_register_entry_determination_id",
            # A determination that is in force from its first moment is written after its entry.
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.ForeignKeyConstraint(["seq"], ["register_change.seq"], name="fk_register_entry_seq"),
        check("register_entry", "status", f"status IN ({listed(*STATUSES)})"),
        check(
            "register_entry", "tier", "tier >= 1 OR status NOT IN ('certified', 'validated')"
        ),
        check("register_entry", "not_empty", "NOT isempty(valid) AND NOT isempty(recorded)"),
        check(
            "register_entry",
            "bounds",
            "NOT lower_inf(valid) AND lower_inc(valid) AND NOT upper_inc(valid)"
            " AND NOT lower_inf(recorded) AND lower_inc(recorded) AND NOT upper_inc(recorded)",
        ),
        ExcludeConstraint(
            ("trader_id", "="),
            ("programme", "="),
            ("valid", "&&"),
            ("recorded", "&&"),
            using="gist",
            name="ex_register_entry_one_standing",
        ),
    )
    op.create_index("ix_register_entry_determination_id", "register_entry", ["determination_id"])
    op.create_index("ix_register_entry_seq", "register_entry", ["seq"])


def downgrade():
    for table in ("register_entry", "register_change", "register_sequencer", "determination"):
        op.drop_table(table)
    for function in (
        "fairway_check_signatures()",
        "fairway_guard_entry()",
        "fairway_guard_change()",
        "fairway_guard_sequencer()",
        "fairway_guard_determination()",
        "fairway_signs_for(uuid)",
    ):
        op.execute(f"DROP FUNCTION {function}")

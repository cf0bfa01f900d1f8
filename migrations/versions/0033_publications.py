"""Catalogue versions that two people publish: proposed whole, signed as proposed, never altered."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)

# What was proposed is what is signed; only the decision is added, once, and by oneself.
GUARD = """
CREATE FUNCTION fairway_guard_publication() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  decision text[] := ARRAY['state', 'decided_by', 'decided_by_name', 'decided_at', 'decision_note'];
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'a publication is never deleted' USING ERRCODE = 'restrict_violation';
  ELSIF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'proposed' OR NOT fairway_signs_for(NEW.proposed_by) THEN
      RAISE EXCEPTION 'a publication begins proposed, and by oneself'
        USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF OLD.state <> 'proposed' OR NEW.content IS DISTINCT FROM OLD.content
     OR to_jsonb(NEW) - decision - 'content' <> to_jsonb(OLD) - decision - 'content' THEN
    RAISE EXCEPTION 'what was proposed stays as it was proposed, and what was decided as decided'
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.state <> OLD.state AND NOT fairway_signs_for(
       CASE NEW.state WHEN 'withdrawn' THEN NEW.proposed_by ELSE NEW.decided_by END) THEN
    RAISE EXCEPTION 'nobody decides in another name' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE INSERT OR UPDATE OR DELETE ON catalogue_publication
  FOR EACH ROW EXECUTE FUNCTION fairway_guard_publication();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON catalogue_publication
  FOR EACH STATEMENT EXECUTE FUNCTION fairway_refuse_change();

SELECT fairway_protect('catalogue_publication', 'SELECT, INSERT, UPDATE');
SELECT fairway_isolate('catalogue_publication', 'state = ''published''');
-- Traders are asked by what was published; who proposed it, and why, is the agency's own.
SELECT fairway_allow('portal', 'catalogue_publication',
  'SELECT (id, catalogue_id, version, programme, effective, sha256, content, state)',
  'state = ''published''', 'false');
"""


def check(name, rule):
    return sa.CheckConstraint(rule, name=op.f(f"ck_catalogue_publication_{name}"))


def upgrade():
    op.create_table(
        "catalogue_publication",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("catalogue_id", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("programme", sa.Text, nullable=False),
        sa.Column("effective", sa.Date, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("proposed_by", sa.Uuid, nullable=False),
        sa.Column("proposed_by_name", sa.Text, nullable=False),
        sa.Column("proposed_at", INSTANT, nullable=False),
        sa.Column("decided_by", sa.Uuid),
        sa.Column("decided_by_name", sa.Text),
        sa.Column("decided_at", INSTANT),
        sa.Column("decision_note", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_catalogue_publication"),
        sa.UniqueConstraint("reference", name="uq_catalogue_publication_reference"),
        *(
            sa.ForeignKeyConstraint(
                [column], ["person.id"], name=f"fk_catalogue_publication_{column}"
            )
            for column in ("proposed_by", "decided_by")
        ),
        check("state", "state IN ('proposed', 'published', 'declined', 'withdrawn')"),
        check("two_people", "decided_by <> proposed_by"),
        check("sha256", "sha256 = encode(sha256(content), 'hex')"),
        check(
            "decided",
            "(decided_at IS NOT NULL) = (state <> 'proposed')"
            " AND (decided_by IS NOT NULL) = (state IN ('published', 'declined'))",
        ),
    )
    op.create_index(
        "ix_catalogue_publication_proposed_at", "catalogue_publication", ["proposed_at"]
    )
    op.create_index(
        "uq_catalogue_publication_live",
        "catalogue_publication",
        ["catalogue_id", "version"],
        unique=True,
        postgresql_where=sa.text("state IN ('proposed', 'published')"),
    )
    op.execute(GUARD)


def downgrade():
    op.drop_table("catalogue_publication")
    op.execute("DROP FUNCTION fairway_guard_publication()")

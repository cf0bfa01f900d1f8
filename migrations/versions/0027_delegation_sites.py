"""A delegation may be limited to named sites: filing reaches no further, in SQL as well."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

# What was agreed is never changed, the sites neither; the rest is that of 0020.
SAME_SITES = """
CREATE FUNCTION fairway_guard_delegation_sites() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF ROW(NEW.sites, NEW.site_names) IS DISTINCT FROM ROW(OLD.sites, OLD.site_names) THEN
      RAISE EXCEPTION 'what was agreed is not changed' USING ERRCODE = 'insufficient_privilege';
    END IF;
  ELSIF EXISTS (SELECT FROM unnest(NEW.sites) AS named (id) WHERE NOT EXISTS (
      SELECT FROM site s WHERE s.id = named.id AND s.trader_id = NEW.trader_id
        AND s.removed_at IS NULL)) THEN
    RAISE EXCEPTION 'a delegation names sites of its client' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_delegation_sites BEFORE INSERT OR UPDATE ON delegation
  FOR EACH ROW EXECUTE FUNCTION fairway_guard_delegation_sites();

-- How names of sites are compared: small letters, single blanks.
CREATE FUNCTION fairway_site_name(name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT lower(btrim(regexp_replace(name, '\\s+', ' ', 'g')))
$$;

-- The ship-to parties that a filing names: of a row one, of a message those of its parties. One
-- that is given by number alone is none.
CREATE FUNCTION fairway_ship_to(content jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(array_agg(public.fairway_site_name(coalesce(name, ''))), '{}') FROM (
    SELECT content->>'ship_to_name' AS name WHERE content ? 'ship_to_name'
    UNION ALL
    SELECT party->>'name'
    FROM jsonb_array_elements(coalesce(content->'parties', '[]')) AS party
    WHERE party->>'entity' = 'ST'
  ) AS named
$$;

-- The last line: whatever the application does, no filing goes past the sites of its delegation. A
-- deletion names no party, so what it deletes is looked at.
CREATE FUNCTION fairway_require_site() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  allowed text[];
  named text[];
BEGIN
  SELECT ARRAY(SELECT public.fairway_site_name(n) FROM unnest(d.site_names) AS n)
    INTO allowed
    FROM batch b JOIN delegation d ON d.id = b.delegation_id
    WHERE b.id = NEW.batch_id AND cardinality(d.site_names) > 0;
  IF NOT FOUND THEN
    RETURN NEW;
  END IF;
  named := public.fairway_ship_to(NEW.content);
  IF NEW.action IN ('D', 'R') THEN
    named := named || coalesce((
      SELECT public.fairway_ship_to(f.content) FROM filing f
      WHERE f.trader_id = NEW.trader_id AND f.filing_ref = NEW.filing_ref
        AND f.number = NEW.number - 1), '{""}');
  END IF;
  IF cardinality(named) = 0 OR NOT named <@ allowed THEN
    RAISE EXCEPTION 'the delegation does not reach this site'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER require_site BEFORE INSERT ON filing
  FOR EACH ROW WHEN (NEW.acting_trader_id IS NOT NULL) EXECUTE FUNCTION fairway_require_site();
"""


def upgrade():
    for name, kind in (("sites", sa.Uuid), ("site_names", sa.Text)):
        op.add_column(
            "delegation", sa.Column(name, ARRAY(kind), nullable=False, server_default="{}")
        )
    for name, rule in (
        ("sites", "cardinality(sites) = cardinality(site_names)"),
        # Everything but filing concerns the company as a whole: there a limit would be words.
        ("sites_of_filing", "cardinality(sites) = 0 OR scopes = ARRAY['submit_filings']"),
        # A broker sees no site of a client before it consents.
        ("sites_by_client", "cardinality(sites) = 0 OR proposed_side = 'trader'"),
    ):
        op.create_check_constraint(op.f(f"ck_delegation_{name}"), "delegation", rule)
    op.execute(SAME_SITES)


def downgrade():
    op.execute("DROP TRIGGER require_site ON filing")
    op.execute("DROP TRIGGER guard_delegation_sites ON delegation")
    for name in (
        "fairway_require_site()",
        "fairway_ship_to(jsonb)",
        "fairway_site_name(text)",
        "fairway_guard_delegation_sites()",
    ):
        op.execute(f"DROP FUNCTION {name}")
    for name in ("sites_by_client", "sites_of_filing", "sites"):
        op.drop_constraint(op.f(f"ck_delegation_{name}"), "delegation", type_="check")
    for name in ("site_names", "sites"):
        op.drop_column("delegation", name)

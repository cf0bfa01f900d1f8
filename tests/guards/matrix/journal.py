"""What each request wrote, row by row, and the database put back as it was before it.

Triggers of the test run's own note every row that any transaction inserts, changes or deletes.
From these notes `since` tells what was written, and `rewind` undoes it, so that thousands of
requests can be asked of one and the same scene, each with real commits.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, text

RECORDS = frozenset(
    {"security_event", "access_record", "lookup_block", "lookup_record", "log_pending"}
)
"""What the short transactions of `app.audit.access` write, whatever the answer, and its sealing."""
KEEPING = RECORDS | {"web_session", "rate_count"}
"""These and what sessions and rate limits keep: nothing of a company's."""

INSTALL = """
CREATE SCHEMA matrix;
CREATE TABLE matrix.note (
  n bigserial PRIMARY KEY, tab text NOT NULL, op text NOT NULL, old text, new text, body jsonb
);
CREATE FUNCTION matrix.write() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO matrix.note (tab, op, old, new, body) VALUES (
    format('%I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME), TG_OP,
    CASE WHEN TG_OP IN ('UPDATE', 'DELETE') THEN OLD::text END,
    CASE WHEN TG_OP IN ('UPDATE', 'INSERT') THEN NEW::text END,
    CASE WHEN TG_OP IN ('UPDATE', 'INSERT') THEN to_jsonb(NEW) ELSE to_jsonb(OLD) END);
  RETURN NULL;
END $$;
CREATE FUNCTION matrix.emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'matrix: % was truncated', TG_TABLE_NAME;
END $$;
CREATE FUNCTION matrix.columns(tab text) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT string_agg(format('%I', attname), ', ' ORDER BY attnum) FROM pg_attribute
  WHERE attrelid = tab::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
$$;
CREATE FUNCTION matrix.rewind() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  one matrix.note;
  count integer := 0;
  done integer;
BEGIN
  SET LOCAL session_replication_role = replica;
  FOR one IN SELECT * FROM matrix.note ORDER BY n DESC LOOP
    IF one.new IS NOT NULL THEN
      EXECUTE format('DELETE FROM %s t WHERE t::text = $1', one.tab) USING one.new;
      GET DIAGNOSTICS done = ROW_COUNT;
      IF done <> 1 THEN
        RAISE EXCEPTION 'matrix: % rows of % are as written', done, one.tab;
      END IF;
    END IF;
    IF one.old IS NOT NULL THEN
      EXECUTE format('INSERT INTO %1$s (%2$s) OVERRIDING SYSTEM VALUE'
        ' SELECT %2$s FROM (SELECT ($1::%1$s).*) r', one.tab, matrix.columns(one.tab))
      USING one.old;
    END IF;
    count := count + 1;
  END LOOP;
  DELETE FROM matrix.note;
  RETURN count;
END $$;
DO $$
DECLARE
  name text;
BEGIN
  FOR name IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
    WHERE schemaname IN ('public', 'procrastinate') AND tablename <> 'alembic_version'
  LOOP
    EXECUTE 'CREATE TRIGGER zz_matrix AFTER INSERT OR UPDATE OR DELETE ON ' || name
      || ' FOR EACH ROW EXECUTE FUNCTION matrix.write()';
    EXECUTE 'CREATE TRIGGER zz_matrix_emptied BEFORE TRUNCATE ON ' || name
      || ' FOR EACH STATEMENT EXECUTE FUNCTION matrix.emptied()';
  END LOOP;
END $$;
"""


@dataclass(frozen=True)
class Written:
    """The rows that one request left behind, by table, in the order in which they were written."""

    rows: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    @property
    def tables(self) -> Counter[str]:
        return Counter(table for table, _, _ in self.rows)

    def outside(self, allowed: frozenset[str]) -> list[str]:
        """The tables that were written to and are not among those allowed."""
        return sorted(set(self.tables) - allowed)

    def added(self, table: str) -> list[dict[str, Any]]:
        return [row for name, op, row in self.rows if name == table and op == "INSERT"]


class Journal:
    """The notes of one database, for as long as the scene lasts; owned by the superuser."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        with engine.begin() as connection:
            connection.exec_driver_sql(INSTALL.replace("%", "%%"), {})
        self.connection = engine.connect()

    def since(self) -> Written:
        """What was written since the last `rewind`."""
        rows = self.connection.execute(text("SELECT tab, op, body FROM matrix.note ORDER BY n"))
        found = [
            (tab.removeprefix("public.").replace("procrastinate.", ""), op, body)
            for tab, op, body in rows
        ]
        self.connection.rollback()
        return Written(found)

    def rewind(self) -> None:
        """Undo everything that was written since the last time; it was all committed."""
        self.connection.execute(text("SELECT matrix.rewind()"))
        self.connection.commit()

    def keep(self) -> None:
        """Forget the notes: what was written is part of the scene."""
        self.connection.execute(text("DELETE FROM matrix.note"))
        self.connection.commit()

    def remove(self) -> None:
        """Take every trigger away again."""
        self.connection.close()
        with self.engine.begin() as connection:
            connection.exec_driver_sql("DROP SCHEMA matrix CASCADE")

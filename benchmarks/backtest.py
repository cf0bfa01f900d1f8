"""What it costs to evaluate the gates of all partners anew, against reading their answers alone.

Both read every answer of 11,000 partners from the database, chunk by chunk in turn, each first in
half of them.

TIERS partners=N seconds=S read_seconds=B differences=D
RATIO tier_rules_vs_read   seconds of reading and evaluating under two versions, over those of
reading alone
"""

import json
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from app.catalogues.loader import catalogues
from app.db.embedded import Cluster
from app.db.migrate import upgrade
from app.db.session import BoundSession, Principal, make_engine
from app.gaps.backtest import CHUNK, answers_of, changed, effects, partners
from app.kernel.ids import new_id

PARTNERS = 11_000
OLD = catalogues().get("importer", "2026.1")
NEW = catalogues().get("importer", "2026.2")
BIND = text("SELECT set_config('app.principal', 'system:bench', true)")
SEED = (
    (
        "INSERT INTO trader (id, name, entity_type, country, address_line, city, region, postal_code,"
        " created_at, version) SELECT id, 'Bench ' || n, 'importer', 'US', '1 Road', 'Oakland', 'CA',"
        " '94607', now(), 1 FROM seed"
    ),
    (
        "INSERT INTO assessment (id, trader_id, catalogue_id, catalogue_version, catalogue_sha256,"
        " profile_id, reopened_sections, created_at, version, state) SELECT id, id, 'importer',"
        " '2026.1', :sha, 'importer-tier' || (1 + n % 3), '{}', now(), 1, 'submitted' FROM seed"
    ),
    (
        "INSERT INTO eligibility_check (id, trader_id, programme, entity_type, rules_version, answers,"
        " eligible, reasons, at) SELECT id, id, 'security', 'importer', '2026.1', '[]', true, '[]',"
        " now() FROM seed"
    ),
    (
        "INSERT INTO application (id, reference, trader_id, programme, tier, assessment_id, check_id,"
        " reopened_tasks, snapshot_count, started_at, submitted_at, closed_at, version, state)"
        " SELECT id, 'BENCH-' || n, id, 'security', 1 + n % 3, id, id, '{}', 1, now(), now(), now(),"
        " 1, 'granted' FROM seed"
    ),
    # Two partners of three say no to one question in forty and claim one in sixty, others than its
    # neighbour.
    (
        "INSERT INTO answer (assessment_id, question_id, value, how_met, document_reference,"
        " not_applicable_reason, version, updated_at, updated_by_name) SELECT seed.id, q.id,"
        " CASE WHEN q.bad AND (seed.n + q.place) % 40 = 0 AND seed.n % 3 > 0 THEN 'no'"
        " ELSE q.value END, '', '',"
        " CASE WHEN (seed.n + q.place) % 60 = 1 AND seed.n % 3 > 0 THEN 'None here.' ELSE '' END,"
        " 1, now(), 'Bench'"
        " FROM seed CROSS JOIN jsonb_to_recordset(CAST(:questions AS jsonb))"
        " AS q (id text, place int, value text, bad boolean)"
    ),
)


def value(question):
    if question.type == "yes_no":
        return "yes"
    if question.choices:
        return question.choices[-1].value
    return {"date": date(2026, 3, 2).isoformat(), "number": "12"}.get(question.type, "As written.")


def seed(url, sha):
    """Partners with every question answered, written past the row policies by the superuser."""
    questions = [
        {"id": one.id, "place": place, "value": value(one), "bad": one.type == "yes_no"}
        for place, one in enumerate(OLD.questions())
    ]
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(BIND)
        connection.execute(text("CREATE TEMP TABLE seed (n int, id uuid) ON COMMIT DROP"))
        rows = [{"n": n, "id": new_id()} for n in range(PARTNERS)]
        connection.execute(text("INSERT INTO seed VALUES (:n, :id)"), rows)
        for statement in SEED:
            connection.execute(text(statement), {"sha": sha, "questions": json.dumps(questions)})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE answer"))
    engine.dispose()


def timed(work):
    begun = time.perf_counter()
    found = work()
    return time.perf_counter() - begun, found


def main():
    with tempfile.TemporaryDirectory() as folder, Cluster(Path(folder) / "postgres") as cluster:
        upgrade(cluster.owner_url())
        seed(make_url(cluster.app_url()).set(username="fairway_super"), OLD.sha256)
        engine = make_engine(cluster.app_url())
        both = alone = 0.0
        differences = 0
        with BoundSession(engine, Principal("system:bench")) as session, session.begin():
            found = partners(session, "security", "importer")
            if len(found) != PARTNERS:
                raise RuntimeError(len(found))
            for number, start in enumerate(range(0, PARTNERS, CHUNK)):
                chunk = found[start : start + CHUNK]
                ids = [one.assessment_id for one in chunk]

                def evaluate(chunk=chunk):
                    return changed(effects(session, chunk, NEW))

                def read(ids=ids):
                    return answers_of(session, ids)

                # The second of a pair finds its pages warm, so they take turns.
                for work in (evaluate, read) if number % 2 else (read, evaluate):
                    seconds, result = timed(work)
                    if work is evaluate:
                        both += seconds
                        differences += len(result)
                    else:
                        alone += seconds
        engine.dispose()
    print(
        f"TIERS partners={PARTNERS} seconds={both:.1f} read_seconds={alone:.1f}"
        f" differences={differences}"
    )
    print(f"RATIO tier_rules_vs_read {both / alone:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

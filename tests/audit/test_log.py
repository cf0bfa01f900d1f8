"""Seal, and find every alteration: each tampering by a superuser is found and its place named."""

import importlib.util
import io
import json
import re
import threading
from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.audit import merkle, sealing, verifying
from app.audit.copies import LATEST, Copies, RolledBackError
from app.audit.models import AuditEvent, LogLeaf
from app.audit.notes import LOG, Signer, open_note, parse_note
from app.authz.actor import system_actor
from app.cli import record
from app.cli.runtime import Runtime
from app.db.session import Principal, transaction
from app.identity.keys import load_or_create
from tests.factories.identity import make_person
from tests.factories.traders import make_trader

SYSTEM = system_actor("test")
READER = Principal("system:test")


def leaf_of(engine, kind):
    with transaction(engine, READER, read_only=True) as session:
        return session.scalars(select(LogLeaf).where(LogLeaf.kind == kind).limit(1)).one()


def test_events_of_every_kind_are_sealed_in_order_and_all_is_well(log, happened, engine):
    happened()
    first = log.seal()
    happened()
    second = log.seal()
    assert second.size > first.size
    assert log.seal() is None, "nothing new, nothing signed"
    assert log.faults() == []
    with transaction(engine, READER, read_only=True) as session:
        kinds = set(session.scalars(select(LogLeaf.kind)))
        indices = session.scalars(select(LogLeaf.idx).order_by(LogLeaf.idx)).all()
        assert verifying.waiting(session) == 0
    assert kinds == {"audit_event", "security_event", "access_record"}
    assert indices == list(range(second.size))


def test_what_was_rolled_back_is_not_waiting(log, work_as, engine):
    def undone():
        with work_as(SYSTEM) as work:
            make_trader(work, make_person(work))
            work.session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        undone()
    assert log.seal() is None
    with transaction(engine, READER, read_only=True) as session:
        assert verifying.waiting(session) == 0


def test_the_application_can_neither_add_to_nor_change_what_is_sealed(log, happened, engine):
    happened()
    log.seal()
    for sql in (
        "INSERT INTO log_pending (event_id, kind) SELECT event_id, kind FROM log_leaf",
        "UPDATE log_leaf SET hash = ''",
        "DELETE FROM log_leaf",
        "UPDATE log_checkpoint SET note = ''",
        "DELETE FROM log_node",
        "UPDATE log_salt SET salt = ''",
        "DELETE FROM log_salt",
        "TRUNCATE log_leaf",
    ):
        with pytest.raises(DBAPIError), transaction(engine, READER) as session:
            session.execute(text(sql))
    with pytest.raises(IntegrityError), transaction(engine, READER) as session:
        session.execute(
            text("INSERT INTO log_leaf SELECT idx + 1000, event_id, kind, hash FROM log_leaf")
        )


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("audit_event", "data = data || '{\"x\": 1}'"),
        ("audit_event", "tag = tag || '!'"),
        ("audit_event", "at = at + interval '1 microsecond'"),
        ("audit_event", "person_id = gen_random_uuid()"),
        ("audit_event", "actor_name = actor_name || '!'"),
        ("security_event", "address = '192.0.2.8'"),
        ("security_event", "tag = 'sign-in:succeeded'"),
        ("access_record", "subject = '/z'"),
        ("access_record", "person_id = gen_random_uuid()"),
    ],
)
def test_an_altered_event_is_named(log, happened, engine, tamper, kind, change):
    happened()
    log.seal()
    leaf = leaf_of(engine, kind)
    assert tamper(f"UPDATE {kind} SET {change} WHERE id = :id", id=leaf.event_id) == 1
    [found] = log.faults()
    assert found.startswith(f"Leaf {leaf.idx}:")


def test_any_byte_of_any_leaf(log, happened, engine, tamper):
    happened()
    size = log.seal().size
    for index in range(size):
        byte = index % 32
        flip = (
            "UPDATE log_leaf SET hash = set_byte(hash, :b, get_byte(hash, :b) # 1) WHERE idx = :i"
        )
        tamper(flip, b=byte, i=index)
        found = log.faults()
        assert found[0].startswith(f"Leaf {index}:")
        assert any("not those that were signed" in one for one in found)
        tamper(flip, b=byte, i=index)
    assert log.faults() == []


def test_a_dropped_row_two_swapped_and_one_slipped_in(log, happened, engine, tamper):
    happened()
    log.seal()
    gone = leaf_of(engine, "audit_event")
    tamper("CREATE TABLE aside AS SELECT * FROM audit_event WHERE id = :id", id=gone.event_id)
    try:
        tamper("DELETE FROM audit_event WHERE id = :id", id=gone.event_id)
        assert log.faults() == [
            f"Leaf {gone.idx}: its event {gone.event_id} of audit_event is gone."
        ]
        tamper("INSERT INTO audit_event SELECT * FROM aside")
        assert log.faults() == []
        tamper("UPDATE aside SET id = gen_random_uuid()")
        tamper("INSERT INTO audit_event SELECT * FROM aside")
        [found] = log.faults()
        assert re.match(r"Event .* is neither sealed nor waiting", found)
        tamper("DELETE FROM audit_event WHERE id = (SELECT id FROM aside)")
    finally:
        tamper("DROP TABLE aside")
    tamper("CREATE TABLE aside AS SELECT * FROM log_leaf WHERE idx IN (0, 1)")
    try:
        tamper("DELETE FROM log_leaf WHERE idx IN (0, 1)")
        tamper("INSERT INTO log_leaf SELECT 1 - idx, event_id, kind, hash, commitment FROM aside")
    finally:
        tamper("DROP TABLE aside")
    assert any("not those that were signed" in one for one in log.faults())


def test_a_missing_leaf_and_a_tail_cut_off(log, happened, tamper):
    happened()
    size = log.seal().size
    tamper("CREATE TABLE aside AS SELECT * FROM log_leaf WHERE idx = 1")
    try:
        tamper("DELETE FROM log_leaf WHERE idx = 1")
        assert log.faults() == ["Leaf 1 is missing; the next one is 2."]
        tamper("INSERT INTO log_leaf SELECT * FROM aside")
    finally:
        tamper("DROP TABLE aside")
    tamper("DELETE FROM log_leaf WHERE idx = :last", last=size - 1)
    found = log.faults()
    assert f"Checkpoint {size}: the log has fewer leaves. Its tail was cut off." in found
    # With the checkpoint gone as well, the copy outside and the unsealed event still tell.
    tamper("DELETE FROM log_checkpoint")
    found = log.faults()
    assert f"The tail is cut off: {size} leaves were signed, {size - 1} are here." in found
    assert any("neither sealed nor waiting" in one for one in found)


def test_after_a_restore_nothing_is_signed(log, happened, tamper):
    happened()
    log.seal()
    tamper("CREATE TABLE old_leaf AS SELECT * FROM log_leaf")
    happened()
    log.seal()
    try:
        for table in ("log_leaf", "log_node", "log_checkpoint"):
            tamper(f"DELETE FROM {table}")
        tamper("INSERT INTO log_leaf SELECT * FROM old_leaf")
    finally:
        tamper("DROP TABLE old_leaf")
    happened()
    with pytest.raises(RolledBackError, match="Was a backup restored"):
        log.seal()


def test_a_fork_is_not_signed(log, happened, tamper, engine, signer, copies, clock, tmp_path):
    happened()
    log.seal()
    fork = Copies(tmp_path / "elsewhere")
    forged = Signer(signer.name, LOG, signer.key)
    text_of = f"{signer.name}\n3\n" + "A" * 43 + "=\n"
    fork.keep(f"{text_of}\n{forged.sign(text_of)}", forged.verifier)
    happened()
    with pytest.raises(RolledBackError, match="not those that were signed"):
        sealing.seal(engine, signer, fork, now=clock.now())


def test_a_checkpoint_that_was_altered_or_is_of_another_key(log, happened, tamper, signer):
    happened()
    size = log.seal().size
    tamper("UPDATE log_checkpoint SET note = replace(note, E'\\n' || size || E'\\n', E'\\n2\\n')")
    assert log.faults() == [f"Checkpoint {size}: The log's key has not signed this checkpoint."]
    happened()
    with pytest.raises(RolledBackError):
        log.seal()


def test_an_event_that_vanishes_before_it_is_sealed_stops_the_log(log, happened, tamper):
    happened()
    tamper("DELETE FROM access_record")
    with pytest.raises(sealing.VanishedError):
        log.seal()


def test_two_sequencers_number_each_event_once(log, happened, engine, signer, copies, clock):
    happened(8)
    errors = []

    def run():
        try:
            for _ in range(10):
                sealing.seal(engine, signer, copies, now=clock.now())
        except Exception as error:  # noqa: BLE001 - told below.
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for one in threads:
        one.start()
    happened(4)
    for one in threads:
        one.join()
    log.seal()
    assert errors == []
    assert log.faults() == []


def test_a_name_that_goes_without_its_salt_was_altered(log, happened, tamper):
    happened()
    log.seal()
    tamper("UPDATE audit_event SET actor_name = ''")
    assert log.faults() != []


def test_a_column_of_a_later_release_changes_no_leaf(log, happened, tamper):
    happened()
    log.seal()
    tamper("ALTER TABLE audit_event ADD COLUMN later text")
    try:
        assert log.faults() == []
    finally:
        tamper("ALTER TABLE audit_event DROP COLUMN later")


def test_a_proof_for_one_event_needs_nothing_but_the_key(log, happened, engine, signer):
    happened(7)
    log.seal()
    happened(5)
    log.seal()
    with transaction(engine, READER, read_only=True) as session:
        for event in session.scalars(select(AuditEvent)):
            leaf = session.scalars(select(LogLeaf).where(LogLeaf.event_id == event.id)).one()
            head, _, note = sealing.proof_of(session, event.id).partition("\n\n")
            first, index, *path = head.split("\n")
            found = open_note(note, signer.verifier)
            assert first == "c2sp.org/tlog-proof@v1"
            hashes = [sealing.base64.b64decode(one) for one in path]
            place = int(index.removeprefix("index "))
            assert merkle.verify_inclusion(leaf.hash, place, found.size, hashes, found.root)
            assert not merkle.verify_inclusion(leaf.hash, place + 1, found.size, hashes, found.root)
        assert sealing.proof_of(session, SYSTEM.person_id) is None


def offline(tmp_path, content, key):
    (tmp_path / "export").write_text(content, "utf-8")
    return record.offline(str(tmp_path / "export"), str(key))


def test_the_export_is_verified_by_the_program_for_strangers(log, happened, signer, tmp_path):
    happened()
    log.seal()
    happened()
    log.seal()
    whole = log.export()
    key = signer.verifier
    assert offline(tmp_path, whole, key) == ""
    lines = whole.splitlines(keepends=True)
    assert offline(tmp_path, "".join(lines[:3] + lines[4:]), key) == "Leaf 2 is missing."
    swapped = [lines[0], lines[2], lines[1], *lines[3:]]
    assert offline(tmp_path, "".join(swapped), key) == "Leaf 0 is missing."
    end = lines[-1]
    assert "not signed" in offline(tmp_path, "".join([*lines[:-2], end]), key)
    entry = json.loads(lines[1])
    entry["body"] = entry["body"].replace("fairway-event/1", "fairway-event/2")
    forged = json.dumps(entry, ensure_ascii=False) + "\n"
    assert offline(tmp_path, "".join([lines[0], forged, *lines[2:]]), key) == "Leaf 0 was altered."
    entry["leaf"] = merkle.leaf_hash(entry["body"].encode()).hex()
    forged = json.dumps(entry, ensure_ascii=False) + "\n"
    told = offline(tmp_path, "".join([lines[0], forged, *lines[2:]]), key)
    assert re.match(r"Leaves 0 to \d+ are not those that were signed\.", told)
    other = Signer(key.name, LOG, load_or_create(tmp_path / "other", "audit").keys[0].private_key)
    assert offline(tmp_path, whole, other.verifier) == "The export names another key."
    resigned = whole.replace(str(key), str(other.verifier))
    assert "is not signed by the log" in offline(tmp_path, resigned, other.verifier)


def test_an_export_that_was_cut_off_is_found(log, happened, signer, copies, tmp_path):
    happened()
    first = log.seal().size
    early = (copies.folder / "latest").read_text()
    happened()
    size = log.seal().size
    key, kept = str(signer.verifier), copies.folder / "latest"
    lines = log.export().splitlines(keepends=True)
    for count in range(len(lines)):
        assert offline(tmp_path, "".join(lines[:count]), key) != "", count
    assert offline(tmp_path, "".join(lines)[:-9], key).startswith("The export is cut off")
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.write_text("".join(lines))
    # Closed again by somebody who knows the form: only a checkpoint from elsewhere tells.
    cut.write_text("".join([*lines[: first + 2], json.dumps({"end": first}) + "\n"]))
    module = verifier_module()
    assert module.verify(str(cut), key) == ""
    assert module.verify(str(whole), key, str(kept)) == ""
    told = module.verify(str(cut), key, str(kept))
    assert told == f"The tail is cut off: {size} leaves were signed, {first} are here."
    (tmp_path / "early").write_text(early)
    assert module.verify(str(whole), key, str(tmp_path / "early")) == ""
    claim = f"{signer.name}\n{first}\n" + "A" * 43 + "=\n"
    (tmp_path / "fork").write_text(f"{claim}\n{signer.sign(claim)}")
    assert "kept elsewhere" in module.verify(str(whole), key, str(tmp_path / "fork"))


def verifier_module():
    made = importlib.util.spec_from_file_location("verify_audit", record.VERIFIER)
    module = importlib.util.module_from_spec(made)
    made.loader.exec_module(module)
    return module


def test_after_a_restore_a_new_key_goes_on(log, happened, engine, clock, tmp_path, tamper):
    """What docs/operations.md tells the operator to do: both files aside, and on."""
    happened()
    old = log.seal()
    other = Signer("fairway.other", LOG, load_or_create(tmp_path, "audit").keys[0].private_key)
    fresh = Copies(tmp_path / "fresh")
    happened()
    assert sealing.seal(engine, other, fresh, now=clock.now()).size > old.size
    happened()
    assert sealing.seal(engine, other, fresh, now=clock.now()) is not None
    with transaction(engine, READER, read_only=True) as session:
        assert list(verifying.faults(session, other.verifier, fresh)) == []
        into = io.StringIO()
        verifying.export(session, other.verifier, into)
    assert offline(tmp_path, into.getvalue(), other.verifier) == ""
    tamper("UPDATE log_leaf SET hash = decode(repeat('00', 32), 'hex') WHERE idx = 0")
    with transaction(engine, READER, read_only=True) as session:
        told = list(verifying.faults(session, other.verifier, fresh))
    assert any(one.startswith(f"Checkpoint {old.size}: the leaves") for one in told)


def test_names_and_addresses_are_not_in_the_export(log, happened, work_as):
    happened()
    log.seal()
    with work_as(SYSTEM) as work:
        names = set(work.session.scalars(select(AuditEvent.actor_name)))
    told = log.export()
    assert names
    assert not [one for one in names if one and f'"{one}"' in told]
    assert "192.0.2.7" not in told


def test_the_commands(happened, engine, settings, app_url, monkeypatch, tmp_path, tamper):
    @contextmanager
    def here(**_):
        yield Runtime(settings.model_copy(update={"home": tmp_path}), app_url, None, engine)

    monkeypatch.setattr(record, "runtime", here)
    happened()
    file = str(tmp_path / "log.ndjson")
    made = CliRunner().invoke(record.audit, ["export", file], catch_exceptions=False)
    assert made.exit_code == 0
    assert "fairway." in made.output
    for arguments in (["verify"], ["verify", file]):
        told = CliRunner().invoke(record.audit, arguments, catch_exceptions=False)
        assert (told.exit_code, "All is as it was signed." in told.output) == (0, True)
    tamper("UPDATE audit_event SET tag = 'x:y'")
    told = CliRunner().invoke(record.audit, ["verify"])
    assert isinstance(told.exception, record.RefusedError)
    assert "Leaf 0:" in told.output


def test_a_note_is_of_the_published_form(log, happened, copies):
    happened()
    found = log.seal()
    note = (copies.folder / LATEST).read_text("utf-8")
    assert parse_note(note)[0] == found
    origin, size, root, empty, signature, end = note.split("\n")
    assert (origin, size, empty, end) == ("fairway.test", str(found.size), "", "")
    assert len(root) == 44
    assert signature.startswith("\u2014 fairway.test ")

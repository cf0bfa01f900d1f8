"""A witness in a process of its own, and the log that it cosigns or refuses: real sockets, real files."""

import base64
import http.client
import signal
import socket
import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text

from app.audit import asking, merkle, verifying
from app.audit.copies import LATEST, RolledBackError
from app.audit.models import LogCheckpoint, LogCosignature, LogState
from app.audit.notes import LOG, WITNESS, Checkpoint, Signer, Verifier, signed_by, submission
from app.audit.sealing import proof_of
from app.audit.verifying import waiting
from app.audit.witnessing import Witness
from app.cli import record
from app.db.session import transaction
from app.door.purposes import witness
from app.identity.keys import load_or_create
from tests.audit.conftest import READER
from tests.audit.test_log import verifier_module
from tests.audit.witnesses import command

# Kills the witness at one step of its writing, from inside: neither it nor we have a say in it.
KILLED_AT = """
import os, runpy, signal, sys
step, count = sys.argv[1], int(sys.argv[2])
seen = [0]
def watch(event, arguments):
    if event == step and (step != "os.rename" or "latest-" in str(arguments[1])):
        seen[0] += 1
        if seen[0] == count:
            os.kill(os.getpid(), signal.SIGKILL)
sys.argv = sys.argv[3:]
sys.addaudithook(watch)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


class Growing:
    """A log without a database: as many leaves as are wanted, and the proofs between its sizes."""

    def __init__(self, signer, word="leaf"):
        self.signer, self.word = signer, word

    def root(self, lo, hi):
        if hi - lo == 0:
            return merkle.EMPTY_ROOT
        if hi - lo == 1:
            return merkle.leaf_hash(f"{self.word} {lo}".encode())
        middle = merkle.split(lo, hi)
        return merkle.node_hash(self.root(lo, middle), self.root(middle, hi))

    def note(self, size):
        claim = Checkpoint(self.signer.name, size, self.root(0, size)).text
        return f"{claim}\n{self.signer.sign(claim)}"

    def request(self, old, size):
        proof = [self.root(lo, hi) for lo, hi in merkle.consistency_ranges(old, size)]
        return submission(old, proof, self.note(size))


def test_it_cosigns_each_growth_in_the_published_form(running, signer):
    one, log, size = running(), Growing(signer), 0
    key = Verifier.parse(one.key)
    for new in (0, 1, 2, 3, 3, 7, 8, 21, 64, 65, 200):
        status, line, _ = one.post(log.request(size, new))
        assert status == 200, (size, new, line)
        name, _, value = line.removeprefix("\u2014 ").partition(" ")
        raw = base64.b64decode(value)
        assert (name, raw[:4], len(raw)) == (key.name, key.key_id, 76)
        assert signed_by(log.note(new) + line, key)
        assert not signed_by(log.note(new) + line, Verifier(key.name, WITNESS, bytes(32)))
        size = new


def test_every_pair_of_sizes_and_no_proof_with_one_bit_changed(running, signer):
    one, log = running(), Growing(signer)
    for size in range(1, 20):
        status, _, _ = one.post(log.request(size - 1, size))
        assert status == 200
        proof = [log.root(lo, hi) for lo, hi in merkle.consistency_ranges(size, size + 5)]
        for place in range(len(proof)):
            bad = [bytes([h[0] ^ 1]) + h[1:] if i == place else h for i, h in enumerate(proof)]
            assert one.post(submission(size, bad, log.note(size + 5)))[0] == 422
        for bad in (proof[:-1], [*proof, bytes(32)], []):
            assert one.post(submission(size, bad, log.note(size + 5)))[0] == 422


def test_refusals_have_the_statuses_of_the_specification(running, signer, tmp_path, folder):
    one, log = running(), Growing(signer)
    assert one.post(log.request(0, 9))[0] == 200
    stranger = Signer("another.log", LOG, signer.key)
    assert one.post(Growing(stranger).request(0, 3))[0] == 404
    forger = Signer(signer.name, LOG, load_or_create(tmp_path, "audit").keys[0].private_key)
    assert one.post(Growing(forger).request(9, 12))[0] == 403
    assert one.post(log.request(0, 12)) == (409, "9\n", "text/x.tlog.size")
    assert one.post(log.request(3, 5)) == (409, "9\n", "text/x.tlog.size")
    fork = Growing(signer, "forged")
    assert one.post(fork.request(9, 9)) == (409, "9\n", "text/x.tlog.size")
    assert one.post(fork.request(9, 12))[0] == 422
    assert one.post(submission(12, [], log.note(9)))[0] == 400
    assert one.post(log.request(9, 12), "/elsewhere")[0] == 404
    assert one.post(log.request(9, 12))[0] == 200
    told = command("show", folder)
    assert "12 leaves" not in told.partition("refused")[0]
    assert "refused a checkpoint of 9 leaves: it has another root" in told
    assert "refused a checkpoint of 12 leaves: nothing shows that it grew from the 9" in told
    assert "refused a checkpoint of 5 leaves: it is smaller than the 9" in told
    # What it keeps of a fork carries the log's own signature: evidence that convinces others.
    kept = [p.read_text().partition("\n\n")[2] for p in (folder / "refused").iterdir()]
    assert len(kept) == 3
    assert all(signed_by(note, signer.verifier) for note in kept)


def malformed(log):
    whole = log.request(3, 5)
    return [
        "",
        "\n",
        "old 3",
        whole.replace("old 3", "old 03"),
        whole.replace("old 3", "old -3"),
        whole.replace("old 3", "old \u0663"),
        whole.replace("old 3", "new 3"),
        whole.replace("old 3\n", "old 3\nnot base64\n"),
        whole.replace("old 3\n", "old 3\nAAAA\n"),
        whole.replace("old 3\n", "old 3\n" + "A" * 43 + "=\n" * 64),
        whole[:-1],
        whole.replace("\n5\n", "\n05\n"),
        whole.replace("\n5\n", "\n" + "9" * 30 + "\n"),
        whole.replace("\u2014 ", "- "),
        whole.encode() + b"\xff",
        whole + "x" * 20_000,
    ]


def test_what_is_not_of_the_form_is_400_and_changes_nothing(running, signer):
    one, log = running(), Growing(signer)
    assert one.post(log.request(0, 3))[0] == 200
    for body in malformed(log):
        assert one.post(body)[0] == 400, body
    assert one.post(log.request(3, 5))[0] == 200


def test_two_at_once_are_judged_one_after_the_other(running, signer):
    one, log, found = running(), Growing(signer), []
    bodies = [log.request(0, size) for size in range(1, 17)]
    threads = [threading.Thread(target=lambda b=b: found.append(one.post(b))) for b in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status for status, _, _ in found) == [200] + [409] * 15
    assert len({said for status, said, _ in found if status == 409}) == 1


def test_what_it_cosigned_outlives_it_and_only_one_runs_on_a_folder(running, signer, folder):
    log, one = Growing(signer), running()
    assert one.post(log.request(0, 7))[0] == 200
    second = running()
    assert second.process.wait(20) == 1
    assert "Another witness runs" in second.process.stderr.read()
    one.stop(signal.SIGKILL)
    again = running()
    assert again.key == one.key
    assert again.post(log.request(0, 3)) == (409, "7\n", "text/x.tlog.size")
    assert again.post(log.request(7, 8))[0] == 200
    again.stop()
    [state] = folder.glob("latest-*")
    state.write_text(state.read_text().replace("\n8\n", "\n3\n"))
    assert "is not what this witness cosigned" in command("serve", folder, wanted=1)
    (folder / "key").chmod(0o644)
    assert "can be read by other accounts" in command("serve", folder, wanted=1)
    assert "has a key already" in command("init", folder, "name", wanted=1)


@pytest.mark.parametrize(("step", "count"), [("os.rename", 1), ("os.rename", 2)])
def test_killed_while_it_writes_it_never_goes_back(running, signer, step, count):
    log = Growing(signer)
    one = running("-c", KILLED_AT, step, str(count))
    size = 0
    while one.process.poll() is None:
        try:
            assert one.post(log.request(size, size + 1))[0] == 200
            size += 1
        except (OSError, http.client.HTTPException):
            one.process.wait(20)
    assert size == count - 1
    again = running()
    # It did not answer, so either is right; what it answered before is never forgotten.
    status, said, _ = again.post(log.request(0, 50))
    assert (status, said) in [(409, f"{size}\n"), (409, f"{size + 1}\n")] or (status, size) == (
        200,
        0,
    )


# --- The log and its witness ------------------------------------------------------------------


def state_of(engine, name="witness:witness.example/one"):
    with transaction(engine, READER, read_only=True) as session:
        row = session.scalars(select(LogState).where(LogState.part == name)).one_or_none()
        return (row.trouble, row.said) if row else None


def cosigned(engine):
    with transaction(engine, READER, read_only=True) as session:
        return list(session.scalars(select(LogCosignature.size).order_by(LogCosignature.size)))


def test_each_checkpoint_is_cosigned_and_everybody_can_check_it(
    log, happened, running, asked, engine, signer, copies, tmp_path
):
    one = running()
    key = one.witness.key
    assert not asked(one), "there is nothing to cosign"
    sizes = []
    for _ in range(3):
        happened()
        sizes.append(log.seal().size)
        assert asked(one)
    assert cosigned(engine) == sizes
    assert state_of(engine) == (None, "")
    with transaction(engine, READER, read_only=True) as session:
        assert list(verifying.faults(session, signer.verifier, copies, [key])) == []
        event = session.scalar(text("SELECT event_id FROM log_leaf WHERE idx = 1"))
        assert signed_by(proof_of(session, event).partition("\n\n")[2], key)
    assert signed_by((copies.folder / LATEST).read_text(), key)
    export = tmp_path / "export"
    export.write_text(log.export())
    check = verifier_module().verify
    assert check(str(export), str(signer.verifier), "", str(key)) == ""
    other = str(Verifier(key.name, WITNESS, bytes(range(32))))
    assert "are not cosigned" in check(str(export), str(signer.verifier), "", other)
    happened()
    log.seal()
    export.write_text(log.export())
    told = check(str(export), str(signer.verifier), "", str(key))
    assert told.startswith(f"Leaves {sizes[-1]} to ")
    assert check(str(export), str(signer.verifier)) == ""


def test_a_cosignature_that_was_altered_or_whose_checkpoint_is_gone(
    log, happened, running, asked, engine, copies, tamper, tmp_path
):
    one = running()
    happened()
    size = log.seal().size
    asked(one)
    key = one.witness.key
    tamper("UPDATE log_cosignature SET line = replace(line, right(line, 9), E'AAAAAA==\\n')")
    with transaction(engine, READER, read_only=True) as session:
        told = list(verifying.faults(session, log.signer.verifier, copies, [key]))
    assert told == [f"Checkpoint {size}: the cosignature of {key.name} is not good."]
    export = tmp_path / "export"
    export.write_text(log.export())
    told = verifier_module().verify(str(export), str(log.signer.verifier), "", str(key))
    assert told == f"The cosignature of the checkpoint after leaf {size - 1} is not good."
    tamper("DELETE FROM log_checkpoint")
    with transaction(engine, READER, read_only=True) as session:
        told = list(verifying.faults(session, log.signer.verifier, copies, [key]))
    assert f"Checkpoint {size}: {key.name} cosigned it, and it is gone." in told


def test_an_outage_is_caught_up_with_and_holds_nothing_up(log, happened, running, asked, engine):
    one = running()
    happened()
    first = log.seal().size
    assert asked(one)
    one.stop(signal.SIGKILL)
    for _ in range(3):
        happened()
        last = log.seal().size
        assert not asked(one)
    assert state_of(engine) == (
        "late",
        "It does not answer. Nobody answers (ConnectionRefusedError).",
    )
    again = running()
    assert asked(again)
    assert cosigned(engine) == [first, last]
    assert state_of(engine) == (None, "")


def test_an_answer_that_was_lost_is_asked_for_again(log, happened, running, asked, engine, tamper):
    one = running()
    happened()
    log.seal()
    assert asked(one)
    tamper("DELETE FROM log_cosignature")
    happened()
    last = log.seal().size
    assert asked(one)
    assert cosigned(engine) == [last]


def test_a_witness_that_does_not_know_us_is_late_and_no_denial(
    log, happened, running, asked, engine, folder
):
    one = running()
    happened()
    log.seal()
    (folder / "logs").write_text("")
    assert not asked(one)
    assert state_of(engine) == ("late", "It knows no such log.")
    happened()
    assert log.seal() is not None
    imposter = Witness(Verifier(one.witness.key.name, WITNESS, bytes(32)), one.witness.address)
    (folder / "logs").write_text(str(log.signer.verifier))
    assert not asked(imposter)
    assert state_of(engine) == ("late", "It answered without a good cosignature.")
    assert cosigned(engine) == []


TABLES = ("log_leaf", "log_node", "log_checkpoint", "log_cosignature", "log_pending", "log_salt")


@pytest.fixture
def restored(tamper, tmp_path):
    """Take a backup of the whole home, and put it back."""
    tables = [*TABLES, "audit_event", "security_event", "access_record", "log_state"]
    kept = {}

    class Backup:
        def take(self):
            for table in tables:
                tamper(f"CREATE TABLE old_{table} AS SELECT * FROM {table}")
            kept["latest"] = (tmp_path / "checkpoints" / LATEST).read_text()

        def put_back(self):
            for table in tables:
                tamper(f"DELETE FROM {table}")
                tamper(f"INSERT INTO {table} SELECT * FROM old_{table}")
            (tmp_path / "checkpoints" / LATEST).write_text(kept["latest"])

    yield Backup()
    for table in tables:
        tamper(f"DROP TABLE IF EXISTS old_{table}")


def test_a_home_restored_as_a_whole_is_found_by_the_witness_alone(
    log, happened, running, asked, engine, restored, folder
):
    one = running()
    happened()
    size = log.seal().size
    assert asked(one)
    restored.take()
    happened()
    later = log.seal().size
    assert asked(one)
    restored.put_back()
    assert log.faults() == [], "nothing in this home tells"
    assert not asked(one)
    said = f"It cosigned {later} leaves, but only {size} are signed here: rolled back."
    assert state_of(engine) == ("denied", said)
    happened()
    with pytest.raises(RolledBackError, match="rolled back"):
        log.seal()
    assert f"witness.example/one: {said}" in log.faults()


def test_a_restored_home_that_went_on_unwitnessed_is_a_fork(
    log, happened, running, asked, engine, restored, folder
):
    one = running()
    happened()
    log.seal()
    assert asked(one)
    restored.take()
    happened(2)
    later = log.seal().size
    assert asked(one)
    one.stop(signal.SIGKILL)
    restored.put_back()
    happened(6)
    forked = log.seal().size
    assert forked > later
    assert not asked(one), "it is down, so nobody knows yet"
    again = running()
    assert not asked(again)
    kind, said = state_of(engine)
    assert (kind, said.endswith("a fork.")) == ("denied", True)
    happened()
    with pytest.raises(RolledBackError, match="a fork"):
        log.seal()
    told = command("show", folder)
    assert f"refused a checkpoint of {forked} leaves: nothing shows that it grew from" in told


def test_a_fork_of_the_same_size_and_a_tail_cut_and_closed_again(
    log, happened, running, asked, engine, restored, folder, tmp_path
):
    one = running()
    happened()
    early = log.seal().size
    assert asked(one)
    restored.take()
    export = tmp_path / "export"
    export.write_text(log.export())
    happened()
    size = log.seal().size
    assert asked(one)
    one.stop()
    # What the witness keeps is a checkpoint from elsewhere, which finds the cut tail of an export.
    [state] = folder.glob("latest-*")
    told = verifier_module().verify(str(export), str(log.signer.verifier), str(state))
    assert told == f"The tail is cut off: {size} leaves were signed, {early} are here."
    restored.put_back()
    happened()
    assert log.seal().size == size, "as many leaves, and others"
    assert not asked(running())
    assert state_of(engine) == ("denied", f"It cosigned another root of {size} leaves: a fork.")
    assert "it has another root than the one that was cosigned: a fork" in command("show", folder)


def test_two_workers_that_ask_at_once_are_no_rollback(
    log, happened, running, asked, engine, monkeypatch
):
    one = running()
    for _ in range(6):
        happened()
        log.seal()
        threads = [threading.Thread(target=asked, args=[one]) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert state_of(engine) == (None, "")
    assert asked(one)


def test_a_file_names_the_witnesses(settings, tmp_path):
    own = settings.model_copy(update={"keys_dir": tmp_path})
    assert record.witnesses_of(own) == []
    key = str(Verifier("w.example", WITNESS, bytes(32)))
    (tmp_path / "witnesses").write_text(f"# elsewhere\n{key} https://w.example/fairway/\n")
    [found] = record.witnesses_of(own)
    assert (str(found.key), found.address) == (key, "https://w.example/fairway")
    for wrong in (key, f"{key} ftp://w.example", f"{Verifier('w', LOG, bytes(32))} http://w"):
        (tmp_path / "witnesses").write_text(wrong)
        with pytest.raises(record.RefusedError):
            record.witnesses_of(own)


@pytest.fixture
def alone(settings, tmp_path, engine, monkeypatch):
    """The job worker's threads with the witnesses of this line, until something is so."""
    own = settings.model_copy(update={"keys_dir": tmp_path / "keys", "home": tmp_path})
    monkeypatch.setattr(record, "EACH_SECONDS", 0.05)

    @contextmanager
    def at_work(line):
        (tmp_path / "keys").mkdir(exist_ok=True)
        (tmp_path / "keys" / "witnesses").write_text(f"{line}\n")

        def until(condition):
            pause = threading.Event()
            for _ in range(1_200):
                with transaction(engine, READER, read_only=True) as session:
                    if condition(session):
                        return
                pause.wait(0.05)
            pytest.fail("It did not come to pass within a minute.")

        with record.sealing_each_second(engine, own):
            yield until

    at_work.log = record.signer_of(own).verifier
    return at_work


def all_cosigned(session):
    newest = session.scalar(select(func.max(LogCheckpoint.size)))
    return (
        newest is not None
        and waiting(session) == 0
        and session.scalar(select(func.max(LogCosignature.size))) == newest
    )


def test_the_sealer_and_the_witness_work_by_themselves(
    happened, running, engine, alone, tmp_path, folder
):
    (folder / "logs").write_text(f"{alone.log}\n")
    one, latest = running(), tmp_path / "checkpoints" / LATEST
    happened()
    with alone(f"{one.key} http://127.0.0.1:{one.port}") as until:
        until(all_cosigned)
        happened()
        until(all_cosigned)
        # The copy follows the row.
        until(lambda _: signed_by(latest.read_text(), one.witness.key))
    assert state_of(engine, "seal") == (None, "")
    assert signed_by(latest.read_text(), alone.log)


def test_at_its_start_the_sealer_asks_before_it_signs(
    happened, running, engine, alone, restored, folder
):
    (folder / "logs").write_text(f"{alone.log}\n")
    one = running()
    line = f"{one.key} http://127.0.0.1:{one.port}"
    happened()
    with alone(line) as until:
        until(all_cosigned)
    restored.take()
    happened()
    with alone(line) as until:
        until(all_cosigned)
    restored.put_back()
    with transaction(engine, READER, read_only=True) as session:
        before = session.scalar(select(func.max(LogCheckpoint.size)))
    happened()
    with alone(line) as until:
        until(lambda session: session.get(LogState, (alone.log.name, "seal")).trouble == "stopped")
    with transaction(engine, READER, read_only=True) as session:
        assert session.scalar(select(func.max(LogCheckpoint.size))) == before
    assert state_of(engine)[0] == "denied"


def test_a_witness_that_is_silent_holds_up_the_signing_for_a_while_only(
    happened, engine, alone, monkeypatch
):
    monkeypatch.setattr(record, "MOST_TURNS_UNASKED", 3)
    monkeypatch.setattr(asking, "witness", lambda told: replace(witness(told), seconds=3_600))
    key = Verifier("witness.example/silent", WITNESS, bytes(32))
    happened()
    with alone("# Nobody yet.") as until:
        until(lambda session: session.scalar(select(LogCheckpoint.size)))
    silent = socket.create_server(("127.0.0.1", 0))
    happened()
    with alone(f"{key} http://127.0.0.1:{silent.getsockname()[1]}") as until:
        # Asked about the first checkpoint, it keeps its thread for ever; the sealer goes on.
        until(lambda session: len(session.scalars(select(LogCheckpoint.size)).all()) > 1)
        silent.close()
        until(lambda session: session.get(LogState, (alone.log.name, f"witness:{key.name}")))

"""The map of the register: what the feeder writes is what the database answers, or nothing."""

import os
import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from app.authz.actor import system_actor
from app.identity.models import ApiClient, ClientCredential
from app.kernel.clock import FixedClock, SystemClock
from app.kernel.identifiers import Scheme, parse
from app.register import queries
from app.status_api import answering
from app.status_api import feeder as feeding
from app.status_api.bulk import look_up_all
from app.status_api.feeder import Feeder
from app.status_api.lookups import LookupRecord
from app.status_api.map_values import CREDENTIAL, DENIAL
from app.status_api.register_map import CURRENT, FRESH_NS, MapReader, StaleMapError
from app.status_api.schemas import AskedIdentifier, GivenStatus
from app.work import move
from tests.factories.register import decide, make_partner, make_trader, suspend_urgently

IOR = "12-345678900"
OTHER = "98-765432100"
PERSONAL = "219-09-9998"


@pytest.fixture
def folder(app, tmp_path):
    return tmp_path / "register-map"


@pytest.fixture
def feeder(engine, clock, folder):
    made = Feeder(engine, folder, clock=clock)
    yield made
    made.close()


@pytest.fixture
def reader(folder):
    return MapReader(folder)


def told(reader, clock, value=IOR, **more):
    """The map's whole answer, without the age that the wall clock gives it."""
    found = answering.from_map(reader, parse(Scheme.IOR, value), now=clock.now(), **more)
    return GivenStatus.model_validate_json(found.body).model_copy(update={"data_age_ms": 0})


def database(work_as, clock, value=IOR):
    with work_as(system_actor("test")) as work:
        return GivenStatus.of(queries.answer(work.session, "ior", value, now=clock.now()))


def test_the_map_answers_as_the_database_does(feeder, reader, work_as, clock):
    partner = make_partner(work_as, f"ior:{IOR}", tier=3)
    make_partner(work_as, f"ior:{PERSONAL}", tier=2)
    make_trader(work_as, f"ior:{OTHER}")
    decide(work_as, partner, "restrict", restrictions=("front-of-line",))
    feeder.turn()
    for value in (IOR, PERSONAL, OTHER, "11-111111100"):
        assert told(reader, clock, value) == database(work_as, clock, value)
    clock.advance(timedelta(hours=1))
    suspend_urgently(work_as, partner)
    feeder.turn()
    assert told(reader, clock).answer == "not_active"
    assert told(reader, clock) == database(work_as, clock)


def test_a_date_that_passes_needs_no_write(feeder, reader, work_as, clock):
    ends = clock.now() + timedelta(days=1)
    partner = make_partner(work_as, f"ior:{IOR}", tier=1)
    decide(work_as, partner, "validate", tier=2, effective_from=ends)
    feeder.turn()
    for step in (0, 86_399, 1, 1):
        clock.advance(timedelta(seconds=step))
        assert told(reader, clock) == database(work_as, clock)
    assert told(reader, clock).standings[0].tier == 2


def test_a_clock_that_goes_back_before_the_rendering_is_doubt(feeder, reader, work_as, clock):
    make_partner(work_as, f"ior:{IOR}")
    feeder.turn()
    clock.advance(timedelta(minutes=-2))
    with pytest.raises(StaleMapError):
        told(reader, clock)


def test_an_identifier_that_is_lost_is_nobodys(feeder, reader, work_as, clock, super_engine):
    make_partner(work_as, f"ior:{IOR}")
    feeder.turn()
    assert told(reader, clock).answer == "active"
    with super_engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("UPDATE trader_identifier SET state = 'withdrawn'"))
        connection.execute(text("UPDATE register_sequencer SET last = last + 1"))
        connection.execute(
            text(
                "INSERT INTO register_change SELECT seq + 1, trader_id, 'identifier', at"
                " FROM register_change ORDER BY seq DESC LIMIT 1"
            )
        )
    feeder.turn()
    assert told(reader, clock).answer == "not_a_partner"


def test_a_persons_number_stands_nowhere_in_the_file(feeder, folder, work_as):
    make_partner(work_as, f"ior:{PERSONAL}", tier=2)
    feeder.turn()
    feeder.close()
    [file] = folder.glob("generation-*/data.mdb")
    assert b"***-**-9998" not in file.read_bytes()
    assert PERSONAL.encode() not in file.read_bytes()
    assert PERSONAL.replace("-", "").encode() not in file.read_bytes()


def test_without_a_heartbeat_for_five_seconds_the_map_refuses(
    feeder, reader, work_as, clock, monkeypatch
):
    make_partner(work_as, f"ior:{IOR}")
    feeder.turn()
    real = time.monotonic_ns
    monkeypatch.setattr(time, "monotonic_ns", lambda: real() + FRESH_NS - 10**9)
    assert told(reader, clock).answer == "active"
    monkeypatch.setattr(time, "monotonic_ns", lambda: real() + FRESH_NS + 10**6)
    with pytest.raises(StaleMapError):
        told(reader, clock)
    # Living is not knowing: a turn that did not ask about clients confirms nothing, though it
    # writes what is new in the register.
    make_partner(work_as, f"ior:{OTHER}")
    feeder.turn(whole=False)
    with pytest.raises(StaleMapError):
        told(reader, clock)
    feeder.turn()
    assert told(reader, clock).answer == "active"


def test_a_clock_that_differs_from_the_databases_confirms_nothing(feeder, monkeypatch):
    feeder.turn()
    ahead = SystemClock().now() + timedelta(seconds=3)
    monkeypatch.setattr(feeding, "SystemClock", lambda: FixedClock(ahead))
    with pytest.raises(feeding.SkewedClockError):
        feeder.turn()


def test_no_map_refuses(reader, clock):
    with pytest.raises(StaleMapError):
        told(reader, clock)


def test_another_feeder_goes_on_where_one_was_killed(engine, clock, folder, reader, work_as):
    make_partner(work_as, f"ior:{IOR}")
    first = Feeder(engine, folder, clock=clock)
    first.turn()
    generation = (folder / CURRENT).read_text()
    first.close()
    partner = make_partner(work_as, f"ior:{OTHER}", tier=2)
    second = Feeder(engine, folder, clock=clock)
    second.turn()
    assert second.rebuilt == 0
    assert (folder / CURRENT).read_text() == generation
    assert told(reader, clock, OTHER).partner_id == partner
    second.close()


def spoil_header(path):
    with path.open("r+b") as file:
        file.write(os.urandom(8192))


def cut_short(path):
    os.truncate(path, 4096 * 2)


def take_away(path):
    path.unlink()


@pytest.mark.parametrize("harm", [spoil_header, cut_short, take_away])
def test_a_damaged_file_is_built_anew(engine, clock, folder, work_as, harm):
    make_partner(work_as, f"ior:{IOR}", tier=2)
    first = Feeder(engine, folder, clock=clock)
    first.turn()
    first.close()
    harm(next(folder.glob("generation-*")) / "data.mdb")
    second = Feeder(engine, folder, clock=clock)
    second.turn()
    assert second.rebuilt == 1
    assert told(MapReader(folder), clock).answer == "active"
    assert len(list(folder.glob("generation-*"))) == 1
    second.close()


@pytest.mark.parametrize("where", ["what many share", "the partner's own"])
def test_a_flipped_byte_is_doubt_and_never_another_answer(engine, clock, folder, work_as, where):
    partner = make_partner(work_as, f"ior:{IOR}", tier=1)
    suspend_urgently(work_as, partner)
    first = Feeder(engine, folder, clock=clock)
    first.turn()
    first.close()
    path = next(folder.glob("generation-*")) / "data.mdb"
    whole, own = path.read_bytes(), str(partner).encode()
    shared = b'"answer":"not_active"'
    old, new = {
        "what many share": (shared, shared.replace(b"t_a", b"tXa")),
        "the partner's own": (own, own[::-1]),
    }[where]
    # Older copies of the page may still stand in the file.
    assert old in whole
    path.write_bytes(whole.replace(old, new))
    reader = MapReader(folder)
    with pytest.raises(StaleMapError):
        told(reader, clock)
    with pytest.raises(StaleMapError):
        look_up_all(
            reader,
            [AskedIdentifier(scheme="ior", value=IOR)],
            LookupRecord(b"k" * 32),
            client_id=partner,
            now=clock.now(),
            min_seq=None,
        )


def test_a_database_that_was_taken_back_is_read_anew(
    feeder, folder, reader, work_as, clock, super_engine
):
    partner = make_partner(work_as, f"ior:{IOR}", tier=1)
    suspend_urgently(work_as, partner)
    make_partner(work_as, f"ior:{OTHER}")
    feeder.turn()
    with super_engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(
            text(
                "UPDATE register_sequencer SET last = last - 1,"
                " at = (SELECT at FROM register_change WHERE seq = last - 1)"
            )
        )
        connection.execute(
            text("DELETE FROM register_change WHERE seq > (SELECT last FROM register_sequencer)")
        )
    before = told(reader, clock).seq
    feeder.turn()
    assert feeder.rebuilt == 2
    assert told(reader, clock).seq == before - 1
    # Another change takes the same number: the number alone does not tell the pasts apart.
    clock.advance(timedelta(minutes=1))
    make_trader(work_as, "ior:77-777777700")
    with super_engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(
            text("UPDATE register_change SET at = at + interval '1 second' WHERE seq = :seq"),
            {"seq": before - 1},
        )
    feeder.turn()
    assert feeder.rebuilt == 3


def test_readers_refuse_while_it_is_built(feeder, reader, work_as, clock, monkeypatch):
    make_partner(work_as, f"ior:{IOR}")
    feeder.turn()
    assert told(reader, clock).answer == "active"
    monkeypatch.setattr(feeder, "_other_past", lambda *_: True)
    seen = []
    real = feeder._rendered  # noqa: SLF001 - to look while it works.

    def watched(*arguments):
        try:
            seen.append(told(reader, clock).answer)
        except StaleMapError:
            seen.append("refused")
        return real(*arguments)

    monkeypatch.setattr(feeder, "_rendered", watched)
    feeder.turn()
    assert seen == ["refused"]


def test_what_ends_of_a_client_reaches_the_map(feeder, reader, work_as, program):
    def known():
        _, bodies = reader.read(CREDENTIAL + credential.bytes, DENIAL + b"0" * 32)
        return [one is not None for one in bodies]

    with work_as(system_actor("test")) as work:
        credential = work.session.scalars(select(ClientCredential.id)).one()
    feeder.turn()
    assert known() == [True, False]
    before = reader.meta().clients
    feeder.turn()
    assert reader.meta().clients == before
    with work_as(system_actor("test")) as work:
        move(work, work.session.scalars(select(ApiClient)).one(), "suspend")
    feeder.turn()
    assert known() == [False, False]
    assert reader.meta().clients > before


def test_a_change_is_heard_and_a_second_feeder_waits(
    engine, app_url, folder, reader, work_as, clock
):
    stop = threading.Event()
    feeders = [Feeder(engine, folder, clock=clock) for _ in range(2)]
    threads = [threading.Thread(target=one.run, args=(app_url, stop)) for one in feeders]
    for one in threads:
        one.start()
    try:
        assert reader.wait_for(0, seconds=10)
        make_partner(work_as, f"ior:{IOR}")
        assert reader.wait_for(database(work_as, clock).seq, seconds=5)
        assert told(reader, clock).answer == "active"
        assert [one.rebuilt for one in feeders].count(0) == 1
    finally:
        stop.set()
        for one in threads:
            one.join()

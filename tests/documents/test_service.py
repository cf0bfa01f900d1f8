"""Files are in place before their row is, belong to one trader, and stay where they are cited."""

import hashlib
import io

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from app.audit.models import AuditEvent
from app.authz.actor import system_actor
from app.documents import queries, service
from app.documents.files import files, key_of, open_files
from app.documents.models import Document, DocumentRevision
from app.documents.rules import LIMIT
from app.kernel.errors import ConflictError, NotReadyError, UnavailableError
from tests.factories.documents import make_document, pdf
from tests.factories.identity import make_person
from tests.factories.traders import acting, make_trader


@pytest.fixture
def scene(app, work_as):
    """A trader and its officer, committed."""
    with work_as(system_actor("test")) as work:
        officer = make_person(work)
        trader = make_trader(work, officer)
    return trader.id, officer


def place_of(settings, trader_id, sha256):
    return open_files(settings.files_url)._folder / key_of(trader_id, sha256)  # noqa: SLF001


def test_a_stored_file_is_in_place_with_its_hash_before_the_commit(work, scene, settings):
    trader_id, officer = scene
    content = pdf("Gate procedure")
    revision = make_document(
        acting(work, officer), trader_id, filename="C:\\x\\gate procedure.pdf", content=content
    )
    assert place_of(settings, trader_id, revision.sha256).read_bytes() == content
    assert revision.sha256 == hashlib.sha256(content).hexdigest()
    assert (revision.filename, revision.size) == ("gate procedure.pdf", len(content))
    assert revision.media_type == "application/pdf"
    assert revision.scan_state == revision.state == "pending"
    assert revision.document.title == "gate procedure"
    assert revision.stored_by_name == officer.name
    work.session.flush()
    tags = work.session.query(AuditEvent.tag).filter_by(subject_id=revision.document_id).all()
    assert tags == [("document:stored",)]


def test_a_rolled_back_upload_leaves_a_file_that_no_row_names(work_as, scene, settings):
    trader_id, _ = scene
    content = pdf("Never committed")
    digest = hashlib.sha256(content).hexdigest()

    def store_and_fail():
        with work_as(system_actor("test")) as work:
            make_document(work, trader_id, content=content)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store_and_fail()
    assert place_of(settings, trader_id, digest).exists()
    with work_as(system_actor("test")) as work:
        assert work.session.query(DocumentRevision).count() == 0
        # What a crash left behind is written again, not trusted.
        place_of(settings, trader_id, digest).write_bytes(b"half a fi")
        revision = make_document(work, trader_id, content=content)
        assert b"".join(files().read(trader_id, revision.sha256)) == content


def test_equal_files_of_two_traders_are_two_objects(work, scene, settings):
    trader_id, officer = scene
    other = make_trader(work, officer, name="Other Imports LLC")
    content = pdf("The same in both")
    first = make_document(work, trader_id, content=content)
    second = make_document(work, other.id, content=content)
    assert first.sha256 == second.sha256
    assert place_of(settings, trader_id, first.sha256) != place_of(
        settings, other.id, second.sha256
    )
    assert place_of(settings, other.id, second.sha256).exists()


def test_sending_the_same_file_twice_keeps_one_when_asked_to(work, scene):
    trader_id, _ = scene
    content = pdf("Sent twice")

    def send():
        return service.store(
            work,
            trader_id,
            owner_kind="trader",
            owner_id=trader_id,
            filename="twice.pdf",
            stream=io.BytesIO(content),
            reuse=True,
        )

    first, second = send(), send()
    assert first.id == second.id
    service.remove(work, first.document)
    work.session.flush()
    assert send().id != first.id


class Endless(io.RawIOBase):
    """A stream that never ends and announces no length."""

    def __init__(self):
        super().__init__()
        self.given = 0

    def read(self, count=-1):
        self.given += count
        return b"a" * count


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (lambda: io.BytesIO(b"a" * (LIMIT + 1)), "size"),
        (Endless, "size"),
        (lambda: io.BytesIO(b""), "empty"),
        (lambda: io.BytesIO(b"a\x00"), "encoding"),
    ],
)
def test_a_refusal_is_one_problem_beside_the_file_field(work, scene, stream, code):
    trader_id, _ = scene
    given = stream()
    with pytest.raises(NotReadyError) as refusal:
        service.store(
            work, trader_id, owner_kind="x", owner_id=trader_id, filename="a.txt", stream=given
        )
    assert [(p.field, p.code) for p in refusal.value.problems] == [("file", code)]
    assert work.session.query(Document).count() == 0
    if isinstance(given, Endless):
        assert given.given < LIMIT + 1024 * 1024


def test_a_file_of_exactly_the_limit_is_accepted(work, scene):
    trader_id, _ = scene
    revision = make_document(work, trader_id, filename="a.txt", content=b"a" * LIMIT)
    assert revision.size == LIMIT


def test_a_cited_document_cannot_be_removed(work, scene):
    trader_id, _ = scene
    cited, free = make_document(work, trader_id), make_document(work, trader_id)
    service.freeze(work, [cited.id])
    work.session.flush()
    work.session.refresh(cited)
    assert cited.frozen_at == work.now
    with pytest.raises(ConflictError):
        service.remove(work, cited.document)
    service.remove(work, free.document)
    service.remove(work, free.document)
    work.session.flush()
    tags = work.session.query(AuditEvent.tag).filter_by(subject_id=free.document_id)
    assert sorted(tag for (tag,) in tags) == ["document:removed", "document:stored"]
    live = work.session.scalars(queries.live_revisions(trader_id)).all()
    assert [one.id for one in live] == [cited.id]
    with pytest.raises(ConflictError):
        service.freeze(work, [free.id])


@pytest.mark.parametrize(
    "alteration",
    [
        "UPDATE document_revision SET sha256 = repeat('0', 64)",
        "UPDATE document_revision SET filename = 'x'",
        "UPDATE document SET trader_id = id",
        "DELETE FROM document_revision",
    ],
)
def test_the_database_refuses_to_alter_what_was_stored(work_as, scene, alteration):
    trader_id, _ = scene
    with work_as(system_actor("test")) as work:
        make_document(work, trader_id)
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        work_as(system_actor("test")) as work,
    ):
        work.session.execute(text(alteration))


def test_damaged_and_missing_files_are_not_handed_out(work, scene, settings):
    trader_id, _ = scene
    revision = make_document(work, trader_id)
    place = place_of(settings, trader_id, revision.sha256)
    place.write_bytes(place.read_bytes() + b"altered")
    with pytest.raises(UnavailableError) as damaged:
        files().read(trader_id, revision.sha256)
    place.unlink()
    with pytest.raises(UnavailableError) as missing:
        files().read(trader_id, revision.sha256)
    assert (damaged.value.code, missing.value.code) == ("file-damaged", "file-missing")

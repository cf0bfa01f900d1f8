"""Handing out: to whom, how, and not before the scanner has spoken."""

import pytest

from app.audit.models import AccessRecord
from app.authz.actor import AgencyRole, TraderRole, system_actor
from app.documents import service
from app.documents.models import Document, DocumentRevision
from app.kernel.ids import new_id
from tests.factories.documents import make_document, pdf
from tests.factories.identity import make_person, sign_in
from tests.factories.traders import appoint_person, make_trader


@pytest.fixture
def people(app, work_as):
    """Committed people by what they are, and their trader's id."""
    with work_as(system_actor("test")) as work:
        officer = make_person(work, name="Olive Ford")
        trader = make_trader(work, officer)
        viewer = make_person(work, name="Vera Lock")
        appoint_person(work, trader, officer, viewer, TraderRole.VIEWER)
        stranger = make_person(work)
        make_trader(work, stranger, name="Other Imports LLC")
        reviewer = make_person(work, roles=[AgencyRole.REVIEWER])
        found = {"officer": officer, "viewer": viewer, "stranger": stranger, "reviewer": reviewer}
        return trader.id, found


@pytest.fixture
def opened(app, people):
    """A client of one of the people."""

    def sign(who):
        client = app.test_client()
        if who != "nobody":
            sign_in(client, people[1][who])
        return client

    return sign


@pytest.fixture
def stored(work_as, people):
    """A committed revision in a state."""

    def make(state="clean", **values):
        with work_as(system_actor("test")) as work:
            revision = make_document(work, people[0], **values)
            if state in {"clean", "infected"}:
                service.note_scan(work, revision, found=None if state == "clean" else "Eicar")
            elif state == "unscanned":
                service.pass_unscanned(work, revision)
            return revision

    return make


def test_a_clean_file_is_handed_out_as_it_came(opened, stored):
    content = pdf("As it came")
    revision = stored(filename="Zollerklärung 2026.pdf", content=content)
    answer = opened("viewer").get(f"/documents/{revision.id}")
    assert answer.status_code == 200
    assert answer.data == content
    assert answer.mimetype == "application/pdf"
    assert answer.content_length == len(content)
    headers = answer.headers
    assert headers["Content-Disposition"] == (
        'attachment; filename="Zollerklarung 2026.pdf"; '
        "filename*=UTF-8''Zollerkl%C3%A4rung%202026.pdf"
    )
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_a_name_cannot_leave_its_header(opened, stored):
    revision = stored(filename='x"\r\nSet-Cookie: a=b; \u202efdp.csv', content=b"a,b\n")
    answer = opened("officer").get(f"/documents/{revision.id}")
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")


@pytest.mark.parametrize("query", ["", "?warned=yes"])
@pytest.mark.parametrize(
    ("state", "status", "words"),
    [
        ("pending", 409, "still being checked for viruses"),
        ("infected", 403, "This file cannot be opened"),
    ],
)
def test_pending_and_infected_files_are_never_handed_out(
    opened, stored, state, status, words, query
):
    content = pdf("Never handed out")
    revision = stored(state, content=content)
    for who in ("officer", "reviewer"):
        answer = opened(who).get(f"/documents/{revision.id}{query}")
        assert answer.status_code == status
        assert words in answer.text
        assert content not in answer.data


def test_an_unscanned_file_is_handed_out_after_a_warning(opened, stored):
    revision = stored("unscanned", content=pdf("Perhaps"))
    client = opened("officer")
    warning = client.get(f"/documents/{revision.id}")
    assert warning.status_code == 200
    assert warning.mimetype == "text/html"
    assert "This file was not checked for viruses" in warning.text
    assert client.get(f"/documents/{revision.id}?warned=yes").data == pdf("Perhaps")


def test_foreign_and_absent_look_the_same(opened, stored):
    revision = stored()
    client = opened("stranger")
    foreign, absent = client.get(f"/documents/{revision.id}"), client.get(f"/documents/{new_id()}")
    assert foreign.status_code == absent.status_code == 404
    assert [one.text.split("error-page__reference")[0] for one in (foreign, absent)] == [
        foreign.text.split("error-page__reference")[0]
    ] * 2
    assert opened("nobody").get(f"/documents/{revision.id}").status_code == 303


def test_the_agencys_reading_is_recorded_and_the_traders_own_is_not(opened, stored, work_as):
    revision = stored()
    opened("officer").get(f"/documents/{revision.id}")
    opened("reviewer").get(f"/documents/{revision.id}")
    with work_as(system_actor("test")) as work:
        (record,) = work.session.query(AccessRecord).filter_by(subject_kind="document_revision")
        assert (record.subject, record.answer) == (str(revision.id), "clean")
        assert record.trader_id == revision.trader_id


def test_the_list_shows_names_sizes_and_states_and_counts_its_queries_alike(
    opened, stored, people, engine
):
    from sqlalchemy import event  # noqa: PLC0415

    trader_id, _ = people
    client = opened("officer")
    assert "No file has been uploaded yet" in client.get(f"/traders/{trader_id}/documents").text
    counts = []

    def add(*_):
        counts[-1] += 1

    for state in ("clean", "pending", "infected"):
        stored(state)
        counts.append(0)
        event.listen(engine, "before_cursor_execute", add)
        page = client.get(f"/traders/{trader_id}/documents").text
        event.remove(engine, "before_cursor_execute", add)
    assert counts[0] == counts[-1]
    for words in ("Checked, no virus found", "Being checked for viruses", "A virus was found"):
        assert words in page
    assert opened("stranger").get(f"/traders/{trader_id}/documents").status_code == 404
    assert opened("reviewer").get(f"/traders/{trader_id}/documents").status_code == 403


def test_a_file_is_removed_unless_it_is_cited(opened, stored, people, work_as):
    trader_id, _ = people
    free, cited = stored(), stored()
    with work_as(system_actor("test")) as work:
        service.freeze(work, [cited.id])
    client = opened("officer")
    page = client.get(f"/traders/{trader_id}/documents").text
    assert "In a submitted application" in page
    assert f"/documents/{cited.document_id}/remove" not in page
    token = page.split('name="csrf_token" value="')[1].split('"')[0]

    def remove(who, document_id, token):
        return who.post(
            f"/traders/{trader_id}/documents/{document_id}/remove", data={"csrf_token": token}
        ).status_code

    assert remove(client, free.document_id, token) == 303
    assert remove(client, free.document_id, token) == 404
    assert remove(client, cited.document_id, token) == 409
    assert remove(client, new_id(), token) == 404
    assert remove(client, free.document_id, "wrong") == 400
    # Those who cite it can still read it.
    assert opened("reviewer").get(f"/documents/{free.id}").status_code == 200
    with work_as(system_actor("test")) as work:
        assert work.session.get(Document, free.document_id).removed_at is not None
        assert work.session.get(DocumentRevision, cited.id).frozen_at is not None


def test_a_viewer_cannot_remove(opened, stored, people):
    trader_id, _ = people
    revision = stored()
    client = opened("viewer")
    page = client.get(f"/traders/{trader_id}/documents").text
    assert "/remove" not in page
    token = page.split('"X-CSRFToken": "')[1].split('"')[0]
    answer = client.post(
        f"/traders/{trader_id}/documents/{revision.document_id}/remove",
        data={"csrf_token": token},
    )
    assert answer.status_code in {403, 404}

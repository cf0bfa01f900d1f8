"""What one programme's answers offer another's: as data, as a rule, as an act, and on the page."""

import re

import pytest
from sqlalchemy import select

from app.assessments import queries as assessments
from app.assessments import service as answering
from app.assessments.rules import AnswerInput, Content
from app.audit.models import AuditEvent
from app.authz.actor import system_actor
from app.catalogues.loader import catalogues
from app.crosswalk import queries, service
from app.crosswalk.equivalence import EQUIVALENCES, load
from app.crosswalk.rules import Paper, Side, offers
from app.kernel.errors import ConflictError, NotReadyError
from app.kernel.ids import new_id
from tests.factories.documents import make_document
from tests.factories.identity import make_person, sign_in
from tests.factories.traders import acting, make_trader
from tests.guards.markup import checked, text_of

pytestmark = pytest.mark.usefixtures("app")
IMPORTER = catalogues().get("importer", "2026.1")
TRADE = catalogues().get("trade-compliance", "2026.1")
PAIR = """
crosswalk: {{id: x, between: [importer, trade-compliance]}}
pairs:
  - {{criteria: ["{one}", {other}], relation: subset, why: Both are about it.}}
  - {{criteria: ["3.9", tc7.2], relation: equal, why: Both are about it.}}
"""


def test_the_shipped_pairs_name_criteria_and_stand_both_ways():
    assert len(EQUIVALENCES) > 20
    there = {(one.source, one.target): one.relation for one in EQUIVALENCES}
    assert there["3.9", "tc7.2"] == "superset"
    assert there["tc7.2", "3.9"] == "subset"
    assert all((target, source) in there for source, target in there)


@pytest.mark.parametrize(("one", "other"), [("99.9", "tc7.2"), ("3.9", "tc99.9"), ("3.9", "tc7.2")])
def test_a_pair_that_names_nothing_or_stands_twice_is_refused(tmp_path, one, other):
    (tmp_path / "x.yaml").write_text(PAIR.format(one=one, other=other))
    with pytest.raises(ValueError, match=r"x\.yaml"):
        load(tmp_path)


def side(catalogue, said=None, papers=None):
    lead = {key: catalogue.criterion(key).questions[0].id for key in said or {}}
    return Side(
        new_id(),
        catalogue,
        catalogue.profiles[0].id,
        {lead[key]: one for key, one in (said or {}).items()},
        papers or {},
    )


def test_words_are_offered_only_where_none_stand_and_values_never():
    there = side(IMPORTER, {"1.1": Content("yes", "The board signed it.")})
    (offer,) = offers(side(TRADE), [there], EQUIVALENCES)
    assert (offer.criterion.id, offer.source.id, offer.words) == (
        "tc2.1",
        "1.1",
        "The board signed it.",
    )
    own = side(TRADE, {"tc2.1": Content("no", "We have another.")})
    assert offers(own, [there], EQUIVALENCES) == []
    assert offers(side(TRADE), [side(IMPORTER, {"1.1": Content("yes")})], EQUIVALENCES) == []


def test_a_document_that_is_here_already_is_not_offered_again():
    one, other = (Paper(new_id(), name, f"{name}.pdf") for name in ("Map", "Log"))
    there = side(IMPORTER, papers={"2.1": (one, other)})
    (offer,) = offers(side(TRADE, papers={"tc3.1": (one,)}), [there], EQUIVALENCES)
    assert offer.papers == (other,)
    assert offers(side(TRADE, papers={"tc3.1": (one, other)}), [there], EQUIVALENCES) == []


@pytest.fixture
def scene(work_as):
    """Two assessments of one importer: words and a document in the first, nothing in the other."""
    with work_as(system_actor("test")) as work:
        officer = make_person(work, name="Ada Brook")
        trader = make_trader(work, officer)
        own = acting(work, officer)
        first, second = (
            answering.start(own, trader.id, catalogue=one, profile_id=one.profiles[0].id)
            for one in (IMPORTER, TRADE)
        )
        own.session.flush()
        answering.save_answers(
            own,
            first,
            "1",
            answers={"q.1.1.1": AnswerInput(value="yes", how_met="The board signed it.")},
            expected_version=0,
        )
        paper = make_document(own, trader.id)
        answering.attach_evidence(own, first, "1.1", paper.id)
        own.session.flush()
        yield own, first, second, paper


def take(own, first, second, papers=(), *, words=False, source="1.1"):
    service.accept(
        own,
        second,
        criterion_id="tc2.1",
        source_assessment_id=first.id,
        source_criterion_id=source,
        revision_ids=papers,
        take_words=words,
    )
    own.session.flush()


def events(own, assessment):
    found = select(AuditEvent.tag).where(AuditEvent.subject_id == assessment.id)
    return [tag for tag in own.session.scalars(found) if tag == "assessment:offer-accepted"]


def test_looking_copies_nothing_and_taking_is_an_act_of_its_own(scene):
    own, first, second, paper = scene
    (offer,) = queries.offers_to(own, second)
    assert (offer.words, [one.revision_id for one in offer.papers]) == (
        "The board signed it.",
        [paper.id],
    )
    assert assessments.contents_of(own.session, second.id) == {}
    take(own, first, second, [paper.id], words=True)
    lead = TRADE.criterion("tc2.1").questions[0].id
    assert assessments.contents_of(own.session, second.id) == {
        lead: Content(how_met="The board signed it.")
    }
    attached = assessments.evidence_of(own.session, second.id)
    assert [one.document_revision_id for one in attached["tc2.1"]] == [paper.id]
    assert queries.offers_to(own, second) == []
    assert events(own, second) == ["assessment:offer-accepted"]
    assert events(own, first) == []


def test_what_is_not_offered_cannot_be_taken(scene):
    own, first, second, paper = scene
    other = make_document(own, first.trader_id)
    for papers, source in (([other.id], "1.1"), ([paper.id], "2.1")):
        with pytest.raises(ConflictError):
            take(own, first, second, papers, source=source)
    with pytest.raises(NotReadyError):
        take(own, first, second)
    assert assessments.evidence_of(own.session, second.id) == {}
    assert events(own, second) == []


def test_another_companys_assessment_offers_nothing(scene):
    own, first, _, paper = scene
    stranger = make_person(own, name="Stan Ranger")
    trader = make_trader(own, stranger, name="Other Imports LLC")
    theirs = answering.start(own, trader.id, catalogue=TRADE, profile_id=TRADE.profiles[0].id)
    own.session.flush()
    assert queries.offers_to(own, theirs) == []
    with pytest.raises(ConflictError):
        take(own, first, theirs, [paper.id])


def test_the_page_takes_what_is_ticked(app, work_as):
    with work_as(system_actor("test")) as work:
        officer = make_person(work, name="Ada Brook")
        trader = make_trader(work, officer)
        own = acting(work, officer)
        first, second = (
            answering.start(own, trader.id, catalogue=one, profile_id=one.profiles[0].id)
            for one in (IMPORTER, TRADE)
        )
        own.session.flush()
        answering.save_answers(
            own,
            first,
            "1",
            answers={"q.1.1.1": AnswerInput(how_met="The board signed it.")},
            expected_version=0,
        )
        base = f"/traders/{trader.id}/assessments/{second.id}"
        source = str(first.id)
    client = app.test_client()
    sign_in(client, officer)
    assert "has something to offer for 1 criterion" in client.get(f"{base}/gaps").text
    page = client.get(f"{base}/offers").text
    assert "The board signed it." in text_of(checked(page, whole=True))
    sent = {
        "csrf_token": re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', page)[0],
        "source": source,
        "source_criterion": "1.1",
    }
    assert client.post(f"{base}/offers/tc2.1", data=sent).status_code == 422
    assert client.post(f"{base}/offers/tc2.1", data={**sent, "words": "y"}).status_code == 303
    assert "Nothing is offered" in client.get(f"{base}/offers").text
    assert client.post(f"{base}/offers/tc2.1", data={**sent, "words": "y"}).status_code == 409

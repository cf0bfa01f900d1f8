"""Whose tier another version would change: real grants, and answers that move as versions say."""

import pytest

from app.applications import service as applications
from app.applications.queries.content import assessment_of
from app.assessments import service as assessments
from app.assessments.rules import AnswerInput
from app.authz.actor import system_actor
from app.catalogues.loader import catalogues
from app.gaps.backtest import answers_of, changed, effects, partners
from tests.factories.applications import make_applicant, make_application, make_submitted
from tests.factories.traders import acting

OLD = catalogues().get("importer", "2026.1")
NEW = catalogues().get("importer", "2026.2")
pytestmark = pytest.mark.usefixtures("app")


def test_only_grants_are_asked_and_each_trader_once(work_as):
    with work_as(system_actor("test")) as work:
        granted, _ = make_submitted(work)
        applications.grant(work, granted, reason="All is in place.")
        make_submitted(work)
        trader, officer = make_applicant(work)
        make_application(acting(work, officer), trader)
    with work_as(system_actor("test")) as work:
        found = partners(work.session, "security", "importer")
        assert [one.assessment_id for one in found] == [granted.assessment_id]
        assert partners(work.session, "security", "broker") == []
        (effect,) = effects(work.session, found, OLD)
        assert effect.tiers == (3, 3)
        assert changed(iter([effect])) == []


def test_what_a_new_version_asks_afresh_is_unknown_until_it_is_answered(work_as):
    with work_as(system_actor("test")) as work:
        granted, _ = make_submitted(work)
        applications.grant(work, granted, reason="All is in place.")
    with work_as(system_actor("test")) as work:
        found = partners(work.session, "security", "importer")
        (effect,) = changed(effects(work.session, found, NEW))
        assert effect.tiers == (3, None)
        assert effect.before[0].unknown == ()
        assert effect.after[0].not_met == ()
        fresh = {
            NEW.criterion_of(one.id).id
            for one in NEW.questions()
            if one.id not in {old.id for old in OLD.questions()}
        }
        assert set(effect.after[0].unknown) & fresh


def test_answers_are_read_as_values_and_claims(work_as):
    with work_as(system_actor("test")) as work:
        trader, officer = make_applicant(work)
        own = acting(work, officer)
        application = make_application(own, trader)
        assessment = assessment_of(own.session, application)
        assessments.save_answers(
            own,
            assessment,
            "1",
            answers={
                "q.1.3.1": AnswerInput(value="no", how_met="By March."),
                "q.1.4.1": AnswerInput(not_applicable_reason="We have none."),
            },
            expected_version=0,
        )
        assessment_id = assessment.id
    with work_as(system_actor("test")) as work:
        said = answers_of(work.session, [assessment_id])[assessment_id]
        assert said == {"q.1.3.1": "no", "q.1.4.1": None}

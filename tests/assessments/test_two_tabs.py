"""Whatever two open pages send in whatever order: nothing acknowledged is lost, nothing unseen
is overwritten.
"""

import threading
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.assessments import queries, service
from app.assessments.errors import AnswersClashError
from app.assessments.models import Assessment
from app.assessments.rules import AnswerInput
from app.authz.actor import system_actor
from tests.factories.assessments import make_assessment
from tests.factories.identity import make_person
from tests.factories.traders import make_trader

QUESTIONS = ("q.1.1.1", "q.1.2.1")


@dataclass
class Page:
    """An open page: what it shows, what it was filled from, and the name that it saves under."""

    key: str
    version: int = 0
    shows: dict[str, str] = field(default_factory=lambda: dict.fromkeys(QUESTIONS, ""))


steps = st.lists(
    st.tuples(
        st.sampled_from(("left", "right")),
        st.one_of(
            st.tuples(st.just("type"), st.sampled_from(QUESTIONS), st.sampled_from("abcdef")),
            st.tuples(st.just("autosave"), st.sampled_from(QUESTIONS)),
            st.tuples(st.just("save")),
            st.tuples(st.just("reload")),
        ),
    ),
    max_size=24,
)


@pytest.fixture
def fresh(app, work_as):
    """A new assessment's id at each call."""

    def make():
        with work_as(system_actor("test")) as work:
            return make_assessment(work, make_trader(work, make_person(work))).id

    return make


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(steps)
def test_nothing_acknowledged_is_lost(fresh, work_as, script):
    assessment_id = fresh()
    pages = {"left": Page("left-0"), "right": Page("right-0")}
    acknowledged: list[tuple[str, str]] = []
    loads = 0
    for who, (action, *arguments) in script:
        page = pages[who]
        if action == "type":
            question_id, letter = arguments
            page.shows[question_id] += letter
            continue
        with work_as(system_actor(who)) as work:
            assessment = work.session.get(Assessment, assessment_id)
            before = queries.contents_of(work.session, assessment_id)
            if action == "reload":
                loads += 1
                row = queries.sections_of(work.session, assessment_id)["1"]
                pages[who] = Page(f"{who}-{loads}", row.version)
                for question_id, content in before.items():
                    pages[who].shows[question_id] = content.how_met
                continue
            sent = QUESTIONS if action == "save" else arguments
            answers = {one: AnswerInput(how_met=page.shows[one]) for one in sent}
            try:
                service.save_answers(
                    work,
                    assessment,
                    "1",
                    answers=answers,
                    expected_version=page.version,
                    page_key=page.key,
                )
            except AnswersClashError as clash:
                # Both texts are in the error, and nothing was written.
                for one in clash.clashes:
                    assert one.yours.how_met == page.shows[one.question_id]
                    assert one.theirs.how_met == before[one.question_id].how_met
                    assert one.yours != one.theirs
                assert queries.contents_of(work.session, assessment_id) == before
                continue
            after = queries.contents_of(work.session, assessment_id)
        for one in sent:
            shown, now = page.shows[one], after[one].how_met if one in after else ""
            was = before[one].how_met if one in before else ""
            # Either the page's text stands now, or the page had not touched it.
            assert now in {shown, was}
            if now == shown and now != was:
                acknowledged.append((one, shown))
    with work_as(system_actor("test")) as work:
        kept = {
            (one.question_id, one.how_met)
            for one in queries.history_of(work.session, assessment_id, QUESTIONS)
        }
    assert set(acknowledged) <= kept


def test_two_saves_at_the_same_moment_take_turns(fresh, work_as):
    assessment_id = fresh()
    outcome: dict[str, object] = {}
    barrier = threading.Barrier(2)

    def save(who: str) -> None:
        with work_as(system_actor(who)) as work:
            assessment = work.session.get(Assessment, assessment_id)
            barrier.wait(10)
            try:
                outcome[who] = service.save_answers(
                    work,
                    assessment,
                    "1",
                    answers={QUESTIONS[0]: AnswerInput(how_met=who)},
                    expected_version=0,
                    page_key=who,
                )
            except AnswersClashError as clash:
                outcome[who] = clash

    threads = [threading.Thread(target=save, args=(who,)) for who in ("left", "right")]
    for one in threads:
        one.start()
    for one in threads:
        one.join(20)
    won = [who for who, what in outcome.items() if what == 1]
    lost = [what for what in outcome.values() if isinstance(what, AnswersClashError)]
    assert (len(won), len(lost)) == (1, 1)
    assert lost[0].clashes[0].by == won[0]

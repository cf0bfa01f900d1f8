"""The cheapest way, held against a search that tries everything, over catalogues of chance."""

from itertools import combinations, product

from hypothesis import given, settings
from hypothesis import strategies as st

from app.catalogues.loader import catalogues
from app.catalogues.model import Catalogue, CatalogueFile
from app.catalogues.rules import Given, Result
from app.gaps.rules import Path, StepKind, cheapest_path, gate, tier_outcomes
from app.gaps.rules.tiers import must_results

PROFILE = "low"
LEVELS = ("none", "some", "most")


@st.composite
def small_catalogues(draw):
    """Two or three criteria of one to three questions; conditions look back, across criteria too."""
    earlier: list[tuple[str, tuple[str, ...]]] = []
    criteria = []
    levels: dict[str, dict[str, str]] = {}
    for place in range(1, draw(st.integers(2, 3)) + 1):
        criterion_id = f"1.{place}"
        questions = []
        for number in range(1, draw(st.integers(1, 3)) + 1):
            question, possible = _question(draw, f"q.1.{place}.{number}", earlier)
            questions.append(question)
            if possible:
                earlier.append((question["id"], possible))
            if question["type"] == "level" and draw(st.booleans()):
                levels.setdefault(criterion_id, {})[question["id"]] = draw(st.sampled_from(LEVELS))
        criteria.append(_criterion(draw, criterion_id, questions))
    profile = {"id": PROFILE, "entity": ("importer",), "tier": 1, "include": ("1",)}
    profile["set"] = {key: {"required_level": one} for key, one in levels.items()}
    content = CatalogueFile.model_validate(
        {
            "catalogue": {
                "id": "chance",
                "version": "1",
                "programme": "security",
                "title": "Chance",
                "effective": "2026-01-01",
                "entity": ("importer",),
                "sources": ("None at all",),
            },
            "sections": (
                {
                    "id": "1",
                    "title": "Only one",
                    "focus": "corporate",
                    "intro": "As chance has it.",
                    "criteria": tuple(criteria),
                },
            ),
            "profiles": (profile,),
        },
        strict=False,
    )
    return Catalogue(content, "0" * 64)


def _question(draw, question_id, earlier):
    kind = draw(st.sampled_from(("yes_no", "level", "choice", "text", "fact")))
    question = {
        "id": question_id,
        "text": f"What of {question_id}?",
        "type": "yes_no" if kind == "fact" else kind,
        "carry": "auto",
    }
    possible: tuple[str, ...] = ()
    if kind in {"yes_no", "fact"}:
        possible = ("yes", "no")
        if kind == "fact":
            question["meets"] = ()
    elif kind in {"level", "choice"}:
        possible = LEVELS
        question["choices"] = tuple({"value": one, "label": one.title()} for one in LEVELS)
        if kind == "choice" and draw(st.booleans()):
            question["meets"] = tuple(
                draw(st.sets(st.sampled_from(LEVELS), min_size=1, max_size=2))
            )
    for other, values in draw(
        st.lists(st.sampled_from(earlier), max_size=2, unique=True) if earlier else st.just([])
    ):
        question.setdefault("show_if", {})[other] = {
            "any_of": tuple(draw(st.sets(st.sampled_from(values), min_size=1)))
        }
    return question, possible


def _criterion(draw, criterion_id, questions):
    return {
        "id": criterion_id,
        "title": f"Criterion {criterion_id}",
        "statement": "Something holds.",
        "modality": draw(st.sampled_from(("must", "must", "should"))),
        "source": "unverified",
        "verified": False,
        "guidance": {"why": "So.", "good": "Good.", "not_enough": "Bad."},
        "evidence": {"kinds": ("log",), "examples": ("A log",), "min": 0},
        "questions": tuple(questions),
    }


@st.composite
def scenes(draw):
    """A catalogue, answers of every sort to it, and some criteria whose claims are accepted."""
    catalogue = draw(small_catalogues())
    answers = {}
    for question in catalogue.questions():
        values = sorted(question.possible or {"In the handbook."})
        said = draw(st.sampled_from(("nothing", "value", "value", "claim", "both", "blank")))
        value = draw(st.sampled_from(values)) if said in {"value", "both"} else ""
        if said != "nothing":
            answers[question.id] = Given(
                "  " if said == "blank" else value, not_applicable=said in {"claim", "both"}
            )
    accepted = draw(st.sets(st.sampled_from([one.id for one in catalogue.criteria()])))
    return catalogue, answers, accepted


# Evaluated by hand here, on purpose not by the rules under test: a claim that is accepted is a
# question that does not apply.
def after(catalogue, answers, accepted, changed, claimed):
    """Whether every must is met once `changed` values were given and `claimed` were accepted."""
    state: dict[str, tuple[str, str]] = {}
    good = True
    for question in catalogue.questions():
        criterion = catalogue.criterion_of(question.id)
        given = answers.get(question.id, Given())
        value, claim = given.value.strip(), given.not_applicable
        if question.id in changed:
            value, claim = changed[question.id], False
        verdict = joined(holds(*state[other], one) for other, one in question.show_if.items())
        settled = criterion.id in accepted or question.id in claimed
        if verdict == "applies" and claim and settled:
            verdict = "not"
        state[question.id] = (verdict, "" if claim else value)
        if catalogue.modality(PROFILE, criterion.id) == "must" and verdict != "not":
            said = verdict == "applies" and value and not claim
            good = good and bool(said) and meets(catalogue, question, value)
    return good


def holds(verdict, value, condition):
    if verdict != "applies":
        return verdict
    if not value:
        return "open"
    return "applies" if value in condition.accepted else "not"


def joined(verdicts):
    found = set(verdicts)
    return next((one for one in ("not", "open") if one in found), "applies")


def meets(catalogue, question, value):
    if question.type == "level":
        wanted = catalogue.required_level(PROFILE, question.id)
        return wanted is None or LEVELS.index(value) >= LEVELS.index(wanted)
    if question.type == "text" or question.meets == ():
        return True
    if question.meets is None:
        return value == "yes" if question.type == "yes_no" else True
    return value in question.meets


def may_change(catalogue, answers, question):
    """What is open, claimed, or given and not enough for a must; everything else stands."""
    given = answers.get(question.id, Given())
    if given.not_applicable or not given.value.strip():
        return True
    must = catalogue.modality(PROFILE, catalogue.criterion_of(question.id).id) == "must"
    return must and not meets(catalogue, question, given.value)


def fewest(catalogue, answers, accepted):
    """The least number of allowed steps, by trying all; `None` when none opens the gate."""
    questions = [one for one in catalogue.questions() if may_change(catalogue, answers, one)]
    for count in range(len(questions) + 1):
        for chosen in combinations(questions, count):
            ways = []
            for one in chosen:
                values = [("value", each) for each in sorted(one.possible or {"written"})]
                if answers.get(one.id, Given()).not_applicable:
                    values.append(("claim", ""))
                ways.append(values)
            for taken in product(*ways):
                pairs = list(zip(chosen, taken, strict=True))
                changed = {q.id: value for q, (kind, value) in pairs if kind == "value"}
                claimed = {q.id for q, (kind, _) in pairs if kind == "claim"}
                if after(catalogue, answers, accepted, changed, claimed):
                    return count
    return None


@settings(max_examples=150)
@given(scenes())
def test_no_smaller_set_of_steps_opens_the_gate(scene):
    catalogue, answers, accepted = scene
    path = cheapest_path(catalogue, PROFILE, answers, accepted)
    least = fewest(catalogue, answers, accepted)
    assert path.reachable == (least is not None)
    assert len(path.steps) == (least or 0)


@settings(max_examples=200)
@given(scenes())
def test_only_what_is_open_or_not_enough_is_a_step(scene):
    catalogue, answers, accepted = scene
    for step in cheapest_path(catalogue, PROFILE, answers, accepted).steps:
        question = catalogue.question(step.question_id)
        given = answers.get(step.question_id, Given())
        assert may_change(catalogue, answers, question)
        assert (step.kind is StepKind.CLAIM) <= given.not_applicable
        assert (step.kind is StepKind.REACH) == (given.is_answered and not given.not_applicable)


@settings(max_examples=200)
@given(scenes())
def test_there_is_nothing_to_do_exactly_when_the_gate_is_open(scene):
    catalogue, answers, accepted = scene
    path = cheapest_path(catalogue, PROFILE, answers, accepted)
    (outcome,) = tier_outcomes(catalogue, PROFILE, answers, accepted)
    assert (path == Path(())) == (outcome.result is Result.MET)
    assert gate(must_results(catalogue, PROFILE, answers, accepted).values()) is outcome.result


def test_a_blank_assessment_of_every_shipped_profile_has_a_way():
    for catalogue in catalogues():
        for profile in catalogue.profiles:
            path = cheapest_path(catalogue, profile.id, {})
            assert path.reachable
            assert path.steps


def test_following_the_way_opens_the_gate_of_every_shipped_profile():
    for catalogue in catalogues():
        for profile in catalogue.profiles:
            answers: dict[str, Given] = {}
            for _ in range(4):
                path = cheapest_path(catalogue, profile.id, answers)
                for step in path.steps:
                    question = catalogue.question(step.question_id)
                    values = [step.value] if step.value else sorted(question.possible or {"Said."})
                    answers[step.question_id] = Given(values[0])
            assert path.steps == ()
            outcomes = {
                one.profile_id: one for one in tier_outcomes(catalogue, profile.id, answers)
            }
            assert outcomes[profile.id].result is Result.MET

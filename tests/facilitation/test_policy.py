"""The shipped policy row by row, its gaps and overlaps, and what the check refuses."""

import json
from collections import Counter

import pytest
import zen

from app.facilitation.policy import (
    CURRENT,
    EXAMS,
    FOLDER,
    Policy,
    PolicyError,
    checksum,
    current,
    load,
)
from tests.facilitation.scenes import facts, grid

TABLE = (FOLDER / f"{CURRENT}.json").read_bytes()
WORDS = (FOLDER / f"{CURRENT}.yaml").read_bytes()

ROWS = {
    "hold-sanctions": facts(holds=("sanctions",)),
    "hold-security": facts(holds=("security",)),
    "hold-critical": facts(holds=("pga",), risk="critical"),
    "hold-uflpa": facts(holds=("uflpa",)),
    "hold-pga": facts(holds=("pga",)),
    "critical-partner": facts(risk="critical"),
    "critical": facts(0, risk="critical"),
    "high-validated": facts(2, risk="high"),
    "high-restricted": facts(2, "fewer-exams", risk="high"),
    "high-certified": facts(1, risk="high"),
    "high": facts(0, risk="high"),
    "importer-missing": facts(0, importer="missing"),
    "importer-doubtful": facts(0, importer="doubtful"),
    "importer-not-active": facts(0, importer="not_active"),
    "importer-not-a-partner": facts(0),
    "sample": facts(sampled=True),
    "broker-doubtful": facts(broker="not_active"),
    "exams-restricted": facts(3, "fewer-exams"),
    "in-bond": facts(entry_type="62"),
    "trade-remedy": facts(entry_type="03"),
    "top-truck": facts(mode="truck"),
    "top-ocean": facts(risk="medium"),
    "top-air-rail": facts(mode="rail"),
    "low-truck": facts(2, mode="truck"),
    "low": facts(1),
    "medium-broker": facts(2, risk="medium", broker="active"),
    "medium-validated": facts(2, risk="medium"),
    "medium-certified": facts(1, risk="medium", broker="active"),
    "refer": facts(risk="unknown"),
}
# exam, queue, place: what a person agreed to for each row.
OUTCOMES = {
    "hold-sanctions": ("intensive", "standard", "port"),
    "hold-security": ("intensive", "standard", "port"),
    "hold-critical": ("intensive", "standard", "port"),
    "hold-uflpa": ("tailgate", "standard", "port"),
    "hold-pga": ("tailgate", "standard", "port"),
    "critical-partner": ("intensive", "front", "port"),
    "critical": ("intensive", "standard", "port"),
    "high-validated": ("nii", "front", "facility"),
    "high-restricted": ("tailgate", "front", "port"),
    "high-certified": ("tailgate", "front", "port"),
    "high": ("tailgate", "standard", "port"),
    "importer-missing": ("tailgate", "standard", "port"),
    "importer-doubtful": ("tailgate", "standard", "port"),
    "importer-not-active": ("nii", "standard", "port"),
    "importer-not-a-partner": ("nii", "standard", "port"),
    "sample": ("nii", "front", "facility"),
    "broker-doubtful": ("nii", "front", "port"),
    "exams-restricted": ("nii", "front", "port"),
    "in-bond": ("document_review", "front", "facility"),
    "trade-remedy": ("document_review", "front", "facility"),
    "top-truck": ("none", "front", "premises"),
    "top-ocean": ("none", "front", "premises"),
    "top-air-rail": ("none", "front", "facility"),
    "low-truck": ("none", "front", "port"),
    "low": ("none", "front", "port"),
    "medium-broker": ("none", "front", "port"),
    "medium-validated": ("document_review", "front", "port"),
    "medium-certified": ("document_review", "front", "port"),
    "refer": ("tailgate", "standard", "port"),
}


@pytest.fixture(scope="module")
def collected():
    """For every point of the grid the rows that fit it, the last row left out."""
    graph = json.loads(TABLE)
    table = graph["nodes"][1]["content"]
    rules = table["rules"][:-1]
    table["hitPolicy"] = "collect"
    table["outputs"] = [{"id": "row", "name": "row", "field": "row"}]
    table["rules"] = [{**rule, "row": json.dumps(rule["_id"])} for rule in rules]
    decision = zen.ZenEngine().create_decision(json.dumps(graph))
    return [
        (
            point,
            tuple(one["row"] for one in decision.evaluate(point.model_dump(mode="json"))["result"]),
        )
        for point in grid()
    ]


@pytest.mark.parametrize("row", list(ROWS))
def test_each_row_answers_as_agreed(row):
    hit = current().ask(ROWS[row])
    assert hit.trace["row"] == row
    assert (hit.row.exam, hit.row.queue, hit.row.place) == OUTCOMES[row]
    assert hit.row.random_sample == (row == "sample")


def test_no_row_is_left_out():
    ids = [one["_id"] for one in current().table["content"]["rules"]]
    assert ids == list(ROWS) == list(OUTCOMES)


def test_there_is_no_gap(collected):
    """The last row is for unknown risk without a hold, and for nothing else."""
    unmatched = {point.risk for point, rows in collected if not rows}
    assert unmatched == {"unknown"}
    assert not any(point.holds for point, rows in collected if not rows)


def test_only_holds_overlap(collected):
    pairs = {rows for _, rows in collected if len(rows) > 1}
    assert pairs == {
        ("hold-sanctions", "hold-pga"),
        ("hold-sanctions", "hold-critical"),
        ("hold-security", "hold-critical"),
    }


def test_no_row_is_out_of_reach(collected):
    first = Counter(rows[0] for _, rows in collected if rows)
    assert set(first) == set(ROWS) - {"refer"}


def test_a_hold_never_makes_the_exam_lighter(collected):
    policy = current()
    held = [point for point, _ in collected if point.holds]
    assert held
    for point in held:
        free = policy.ask(point.model_copy(update={"holds": ()})).row.exam
        assert EXAMS.index(policy.ask(point).row.exam) >= EXAMS.index(free)


def test_the_sample_is_drawn_at_the_policys_rate():
    policy = current()
    assert policy.sampled(9_999, 3)
    assert not policy.sampled(10_000, 3)
    assert policy.sampled(39_999, 1)
    assert policy.sampled(9_999, 9)
    assert not policy.sampled(0, 0)


def test_the_bands_of_the_risk_score():
    bands = [current().risk(score) for score in (0, 249, 250, 499, 500, 749, 750, 1000, None)]
    assert bands == [
        *("low", "low", "medium", "medium", "high", "high", "critical", "critical", "unknown")
    ]


def test_the_checksum_is_of_both_files():
    assert load(FOLDER / f"{CURRENT}.json").sha256 == checksum(TABLE, WORDS)
    assert checksum(TABLE, WORDS) != checksum(TABLE, WORDS + b"\n")
    assert checksum(b"ab", b"c") != checksum(b"a", b"bc")


def broken(change) -> bytes:
    graph = json.loads(TABLE)
    change(graph["nodes"][1]["content"])
    return json.dumps(graph).encode()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t["rules"][5].update(tier="> > 3"), "row critical-partner: tier"),
        (lambda t: t["rules"][5].update(risk='"crticial"'), "'crticial' is no value of it"),
        (lambda t: t["rules"][5].update(risk="$ == crticial"), "'crticial' is no value of it"),
        (lambda t: t["rules"][5].update(grants='contains($, "fast-lane")'), "'fast-lane'"),
        (lambda t: t["rules"][5].update(entry_type='"1"'), "'1' is no value of it"),
        (lambda t: t["rules"][5].update(holds=["security"]), "holds is no text"),
        (lambda t: t["rules"][5].update(exam='"scan"'), "row critical-partner: exam"),
        (lambda t: t["rules"][5].update(benefits='["free-lunch"]'), "no benefit free-lunch"),
        (lambda t: t["rules"][5].update(reasons='["because"]'), "no reason because"),
        (lambda t: t["rules"][5].update(reasons="[]"), "reasons"),
        (lambda t: t["rules"][5].update(queue="front of"), "an output cannot be read"),
        (lambda t: t["rules"][5].pop("queue"), "output queue is empty"),
        (lambda t: t["rules"][5].update(_id="critical"), "row critical stands twice"),
        (lambda t: t["rules"].pop(), "the last row does not fit everything"),
        (lambda t: t["inputs"][0].update(field="hold"), "column hold is none of the facts"),
        (lambda t: t["outputs"].pop(), "output reasons is missing"),
        (lambda t: t.update(hitPolicy="collect"), "the first row that fits has to answer"),
    ],
)
def test_a_mistake_in_the_table_stops_it(change, said):
    with pytest.raises(PolicyError) as refused:
        Policy(broken(change), WORDS)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"rate: 20000", b"rate: 50000", "sample rates"),
        (b"up_to: 499", b"up_to: 200", "do not rise"),
        (b"code: refer\n", b"code: random-sample\n", "stands twice"),
        (b"benefit: front-of-line", b"benefit: front", "no benefit front"),
        (b"code: guarded", b"code: guarded-by", "no reason guarded"),
        (b"policy:\n", b"policy: [\n", "line"),
        (b'  version: "2026.1"', b"  version: next", "version"),
    ],
)
def test_a_mistake_in_the_words_stops_it(old, new, said):
    assert old in WORDS
    with pytest.raises(PolicyError) as refused:
        Policy(TABLE, WORDS.replace(old, new))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "table", [b"{", b"[]", b"{}", b'{"nodes": []}', b"\xff", b'{"nodes": [{"type": 1}]}']
)
def test_what_is_no_table_is_refused(table):
    with pytest.raises(PolicyError):
        Policy(table, WORDS)

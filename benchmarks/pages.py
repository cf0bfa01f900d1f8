"""The pages on which traders spend their weeks: a section of 20 questions, autosave, the workbook.

Every round asks each of them once, one after the other, within the process and with the database
that `make run` uses; ratios are formed within a round and the median is printed with its range.
Exit 2 when the empty page against itself leaves 0.85 to 1.18: too noisy to say anything.

RATIO section_vs_empty    a section of 20 questions, over a page of the same layout without any (goal 3)
RATIO autosave_vs_empty   one answer saved in the background, committed, over the same
Milliseconds stand beside them, medians: by the clock, in which other work of the machine counts, and
of the processor in this process (goals by the clock: section below 30, autosave below 15). Last what
a workbook of the whole takes to download, and to upload up to its differences (below 2 s).
"""

import io
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

from flask import Blueprint, render_template

import app as package
from app import create_app
from app.assessments import queries, service
from app.authz.actor import system_actor
from app.authz.permissions import Permission
from app.config import Settings
from app.db.embedded import Cluster
from app.db.migrate import upgrade
from app.db.session import BoundSession, Principal, make_engine
from app.kernel.clock import SystemClock
from app.kernel.ids import new_token
from app.web.access import requires
from app.web.requests import current_work
from app.work import Work
from tests.factories.assessments import good_answers, make_assessment
from tests.factories.identity import make_person, sign_in
from tests.factories.traders import make_trader

ROUNDS, WARM = 60, 8
QUESTIONS = 20
NOISE = (0.85, 1.18)
EMPTY = """{% extends "layout/portal.html" %}
{% block title %}Empty{% endblock %}
{% block main %}<h1>Empty</h1>{% endblock %}
"""
ADDRESS = "/traders/<uuid:trader_id>/assessments/<uuid:assessment_id>/empty"


def with_an_empty_page(folder):
    """The portal's blueprints, and a page of its layout that checks who asks and shows nothing."""
    (folder / "benchmark").mkdir()
    (folder / "benchmark" / "empty.html").write_text(EMPTY)
    blank = Blueprint("benchmark", __name__, template_folder=str(folder))

    @blank.get(ADDRESS)
    @requires(Permission.APPLICATION_VIEW)
    def empty(trader_id, assessment_id):
        queries.visible_assessment(
            current_work(), trader_id, assessment_id, Permission.APPLICATION_VIEW
        )
        return render_template("benchmark/empty.html")

    shipped = package.blueprints
    package.blueprints = lambda surface, *, demo: [*shipped(surface, demo=demo), blank]


class Bench:
    """One preparer in front of one assessment whose sections are answered."""

    def __init__(self, app, engine):
        self.engine = engine
        with self.work() as work:
            officer = make_person(work, name="Olive Ford")
            assessment = make_assessment(work, make_trader(work, officer))
            sections = queries.catalogue_of(assessment).sections_in(assessment.profile_id)
            for section in sections:
                answers = good_answers(section.criteria)
                service.save_answers(
                    work, assessment, section.id, answers=answers, expected_version=0
                )
            self.section = min(sections, key=lambda one: abs(questions_in(one) - QUESTIONS))
            self.trader_id, self.assessment_id = assessment.trader_id, assessment.id
            self.questions = sum(questions_in(one) for one in sections)
        self.client = app.test_client()
        sign_in(self.client, officer)
        self.base = f"/traders/{self.trader_id}/assessments/{self.assessment_id}"
        self.page = f"{self.base}/sections/{self.section.id}"
        html = self.get(self.page)
        self.form = {
            name: re.search(f'name="{name}" value="([^"]*)"', html)[1]
            for name in ("csrf_token", "version", "page_key")
        }
        self.saves = 0

    def work(self):
        return _Session(self.engine)

    def get(self, address):
        answer = self.client.get(address)
        if answer.status_code != 200:  # noqa: PLR2004 - what HTTP calls well.
            raise RuntimeError(f"{address}: {answer.status_code}")
        return answer.text

    def empty(self):
        self.get(f"{self.base}/empty")

    def show(self):
        self.get(self.page)

    def save(self):
        """What htmx sends when a text of a criterion changed."""
        self.saves += 1
        criterion = self.section.criteria[0]
        answer = self.client.post(
            f"{self.page}/save?criterion={criterion.id}",
            data={
                **self.form,
                f"{criterion.questions[0].id}.how_met": f"The guard looks, {self.saves} times.",
            },
            headers={"HX-Request": "true", "HX-Request-Type": "partial"},
        )
        if answer.status_code != 200 or "Saved" not in answer.text:  # noqa: PLR2004
            raise RuntimeError(answer.text)

    def workbook(self):
        """Seconds to download the whole assessment, and to upload it up to its differences."""
        begun = time.perf_counter()
        content = self.client.get(f"{self.base}/workbook.xlsx").data
        downloaded = time.perf_counter()
        answer = self.client.post(
            f"{self.base}/workbook",
            data={
                "csrf_token": self.form["csrf_token"],
                "file": (io.BytesIO(content), "filled.xlsx"),
            },
            content_type="multipart/form-data",
        )
        self.get(answer.headers["Location"])
        return downloaded - begun, time.perf_counter() - downloaded


class _Session:
    def __init__(self, engine):
        self.actor = system_actor("bench")
        self.session = BoundSession(engine, Principal(self.actor.principal))

    def __enter__(self):
        self.session.__enter__()
        self.begun = self.session.begin()
        self.begun.__enter__()
        return Work(session=self.session, actor=self.actor, now=SystemClock().now())

    def __exit__(self, *error):
        self.begun.__exit__(*error)
        self.session.__exit__(*error)


def questions_in(section):
    return sum(len(one.questions) for one in section.criteria)


def seconds(step):
    """By the clock, and of the processor."""
    begun, used = time.perf_counter(), time.thread_time()
    step()
    return time.perf_counter() - begun, time.thread_time() - used


def told(name, values):
    middle, low, high = statistics.median(values), min(values), max(values)
    print(f"RATIO {name} {middle:.2f} ({low:.2f} to {high:.2f})")


def main():
    with tempfile.TemporaryDirectory() as folder, Cluster(Path(folder) / "postgres") as cluster:
        upgrade(cluster.owner_url())
        engine = make_engine(cluster.app_url())
        home = Path(folder)
        with_an_empty_page(home)
        settings = Settings(home=home, keys_dir=home / "keys", secret_key=new_token())
        bench = Bench(create_app("portal", settings=settings, engine=engine), engine)
        steps = {
            "empty": bench.empty,
            "section": bench.show,
            "autosave": bench.save,
            "again": bench.empty,
        }
        for step in list(steps.values()) * WARM:
            step()
        rounds = [{name: seconds(step) for name, step in steps.items()} for _ in range(ROUNDS)]
        workbooks = [bench.workbook() for _ in range(5)]
        engine.dispose()
    noise = statistics.median(one["again"][0] / one["empty"][0] for one in rounds)
    print(f"A/A {noise:.3f}")
    for name in ("section", "autosave"):
        told(f"{name}_vs_empty", [one[name][0] / one["empty"][0] for one in rounds])
    for name in ("empty", "section", "autosave"):
        wall, used = (statistics.median(one[name][at] * 1000 for one in rounds) for at in (0, 1))
        print(f"{name}: {wall:.1f} ms, of the processor {used:.1f} ms")
    print(f"the section has {questions_in(bench.section)} questions")
    down, up = (statistics.median(several) for several in zip(*workbooks, strict=True))
    print(f"workbook of {bench.questions} questions: download {down:.2f} s, upload {up:.2f} s")
    return 0 if NOISE[0] <= noise <= NOISE[1] else 2


if __name__ == "__main__":
    sys.exit(main())

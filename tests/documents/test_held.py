"""A file that waits for its form to be corrected opens for its sender, on that page, for a day."""

import io
import os
import shutil
from datetime import timedelta

import pytest

from app.authz.actor import system_actor
from app.documents import held
from app.documents.files import open_files
from app.documents.rules import LIMIT
from app.work import Work
from tests.factories.identity import make_person
from tests.factories.traders import acting

SECRET = "a secret of this installation"
PLACE = "/traders/1/delegations/new"
CONTENT = b"We let our broker act for us."


@pytest.fixture
def people(app, work_as, settings):
    del app  # It gives the process its place for files.
    shutil.rmtree(folder(settings), ignore_errors=True)
    with work_as(system_actor("test")) as work:
        return make_person(work), make_person(work)


@pytest.fixture
def sender(people, work) -> Work:
    return acting(work, people[0])


def hold(work, content=CONTENT, **changes):
    given = {"place": PLACE, "filename": "authority.pdf", **changes}
    return held.hold(work, SECRET, stream=io.BytesIO(content), **given)


def fetch(work, mark, *, place=PLACE, secret=SECRET):
    return held.fetch(work, secret, place=place, mark=mark)


def folder(settings):
    return open_files(settings.files_url)._folder / "held"  # noqa: SLF001


def paths(settings):
    return [one for one in folder(settings).rglob("*") if one.is_file()]


def held_since(settings, moment):
    for path in paths(settings):
        os.utime(path, (moment.timestamp(), moment.timestamp()))


def test_what_was_held_comes_back_under_its_name(sender):
    found = fetch(sender, hold(sender, filename="C:\\papers\\authority.pdf"))
    assert found.filename == "authority.pdf"
    assert found.stream.read() == CONTENT


def test_nothing_of_it_lies_in_the_clear(sender, settings):
    hold(sender)
    (path,) = paths(settings)
    assert CONTENT not in path.read_bytes()


def test_nobody_else_is_given_it(sender, people, work):
    mark = hold(sender)
    assert fetch(acting(work, people[1]), mark) is None


def test_another_person_s_mark_and_folder_do_not_open_it_either(sender, people, work, settings):
    mark = hold(sender)
    (path,) = paths(settings)
    stolen = path.parent.parent / str(people[1].id) / path.name
    stolen.parent.mkdir()
    stolen.write_bytes(path.read_bytes())
    assert fetch(acting(work, people[1]), mark) is None


@pytest.mark.parametrize(
    "mark",
    ["", "/", "nothing", "../../x/authority.pdf", "{id}/other.pdf", "{id}", "{id}/authority.pdf/"],
)
def test_a_mark_that_was_not_given_opens_nothing(sender, mark):
    hold_id = hold(sender).partition("/")[0]
    assert fetch(sender, mark.format(id=hold_id)) is None


def test_it_is_for_one_page_and_one_installation(sender):
    mark = hold(sender)
    assert fetch(sender, mark, place="/traders/2/delegations/new") is None
    assert fetch(sender, mark, secret="another") is None


def test_altered_bytes_are_not_given_back(sender, settings):
    mark = hold(sender)
    (path,) = paths(settings)
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert fetch(sender, mark) is None


def test_after_a_day_it_is_gone_even_before_it_is_deleted(sender, settings):
    mark = hold(sender)
    held_since(settings, sender.now - held.KEPT_FOR)
    assert fetch(sender, mark) is None
    assert held.let_go(sender.now) == 1
    assert paths(settings) == []


def test_what_is_younger_than_a_day_stays(sender, settings):
    mark = hold(sender)
    held_since(settings, sender.now - held.KEPT_FOR + timedelta(minutes=1))
    assert held.let_go(sender.now) == 0
    assert fetch(sender, mark) is not None


def test_one_person_cannot_fill_the_disk(sender, settings):
    oldest = hold(sender)
    held_since(settings, sender.now - timedelta(minutes=1))
    others = [hold(sender, filename=f"{number}.pdf") for number in range(held.MOST)]
    assert len(paths(settings)) == held.MOST
    assert fetch(sender, oldest) is None
    assert all(fetch(sender, one) for one in others)


def test_a_file_over_the_limit_is_not_held(sender, settings):
    assert hold(sender, bytes(LIMIT + 1)) == ""
    assert hold(sender, bytes(LIMIT)) != ""
    assert len(paths(settings)) == 1

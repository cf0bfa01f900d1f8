"""Every macro: real forms in, valid and accessible HTML out."""

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
from jinja2 import UndefinedError
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    DateField,
    DecimalField,
    EmailField,
    FieldList,
    FileField,
    Form,
    FormField,
    HiddenField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from app.kernel.errors import Problem
from tests.guards.markup import by_id, checked, show, text_of

SHORT = 'Type <b>less</b> & "this"'


class SiteForm(Form):
    city = StringField("City", [InputRequired("Enter the city")])


class EveryForm(Form):
    name = StringField("Legal name", [InputRequired("Enter the legal name"), Length(max=5)])
    mail = EmailField("E-mail address")
    secret = PasswordField("Password")
    founded = DateField("Founded on")
    staff = IntegerField("Staff", [InputRequired("Enter a number")])
    value = DecimalField("Value in US dollars")
    how = TextAreaField("How you meet this", [Length(max=3, message=SHORT)])
    kind = SelectField(
        "Kind", choices=[SelectChoice("importer", "Importer"), SelectChoice("broker", "Broker")]
    )
    seals = RadioField(
        "Do you check seals?",
        choices=[SelectChoice("yes", "Yes"), SelectChoice("no", "No")],
        validators=[InputRequired("Choose one")],
    )
    modes = SelectMultipleField(
        "How do goods arrive?",
        choices=[SelectChoice("ocean", "Ocean"), SelectChoice("air", "Air")],
        validators=[InputRequired("Choose at least one")],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    true = BooleanField("All of this is true", [InputRequired("Confirm this")])
    paper = FileField("Evidence")
    version = HiddenField("Version", default="3")
    sites = FieldList(FormField(SiteForm), min_entries=1)


FIELDS = [name for name in EveryForm()._fields if name != "sites"]
TYPED = MultiDict({"name": "", "how": "far <i>too</i> long", "staff": "about 12", "modes": "rail"})


def controls(tree):
    return [node for node in tree.iter() if node.tag in {"input", "select", "textarea"}]


def refused():
    form = EveryForm(TYPED)
    assert not form.validate()
    return form


FIELD = '{% from "macros/forms.html" import field %}'
ALL_FIELDS = (
    FIELD + "<form>{% for name in names %}{{ field(form[name], hint='A hint') }}{% endfor %}</form>"
)


def test_every_kind_of_field_has_a_label_and_its_hint():
    tree = checked(show(ALL_FIELDS, form=EveryForm(), names=FIELDS))
    labelled = {node.get("for") for node in tree.iter("label")}
    for node in controls(tree):
        if node.get("type") != "hidden":
            assert node.get("id") in labelled
    for name in FIELDS:
        if name != "version":
            assert by_id(tree, name).get("aria-describedby") == f"{name}-hint"
    assert [text_of(node) for node in tree.iter("legend")] == [
        "Do you check seals?",
        "How do goods arrive?",
    ]


def test_an_error_stands_beside_its_cause_and_what_was_typed_stays():
    tree = checked(show(ALL_FIELDS, form=refused(), names=FIELDS))
    name = by_id(tree, "name")
    assert name.get("aria-describedby") == "name-hint name-error"
    assert name.get("aria-invalid") == "true"
    assert text_of(by_id(tree, "name-error")) == "Error: Enter the legal name"
    assert by_id(tree, "seals").get("aria-invalid") == "true"
    assert by_id(tree, "modes-0").get("aria-invalid") == "true"
    assert by_id(tree, "mail").get("aria-invalid") is None
    assert text_of(by_id(tree, "how")) == "far <i>too</i> long"
    assert SHORT in text_of(by_id(tree, "how-error"))
    assert by_id(tree, "staff").get("value") == "about 12"


def test_the_browser_neither_cuts_nor_forgets_nor_refuses_before_we_do():
    tree = checked(show(ALL_FIELDS, form=EveryForm(), names=FIELDS))
    for node in controls(tree):
        assert not {"required", "maxlength", "minlength"} & node.attrib.keys()
    assert by_id(tree, "staff").get("type") == "text"
    assert by_id(tree, "staff").get("inputmode") == "numeric"
    assert by_id(tree, "value").get("inputmode") == "decimal"


def test_a_field_takes_further_attributes_a_width_and_the_word_optional():
    source = FIELD + (
        "{{ field(form.mail, width='md', optional=True,"
        " attrs={'autocomplete': 'email', 'class': 'own'}) }}"
        "{{ field(form.seals, optional=True, attrs={'hx-post': '/save'}) }}"
    )
    tree = checked(show(source, form=EveryForm()))
    mail = by_id(tree, "mail")
    assert mail.get("autocomplete") == "email"
    assert mail.get("class").split() == ["usa-input", "control-width-md", "own"]
    assert text_of(next(tree.iter("label"))) == "E-mail address (optional)"
    assert by_id(tree, "seals").get("hx-post") == "/save"


def test_the_error_summary_links_to_every_cause():
    source = (
        FIELD
        + '{% from "macros/forms.html" import error_summary %}{{ error_summary(form) }}'
        + "{% for name in names %}{{ field(form[name]) }}{% endfor %}"
        + "{{ field(form.sites[0].city) }}"
    )
    form = refused()
    form.form_errors.append("The two dates are in the wrong order")
    tree = checked(show(source, form=form, names=FIELDS))
    summary = by_id(tree, "error-summary")
    assert summary.get("role") == "alert"
    assert summary.get("tabindex") == "-1"
    assert text_of(summary.find(".//li")) == "The two dates are in the wrong order"
    links = {node.get("href"): text_of(node) for node in summary.iter("a")}
    assert links["#name"] == "Legal name: Enter the legal name"
    assert links["#seals-0"] == "Do you check seals? Choose one"
    assert links["#modes-0"].startswith("How do goods arrive?")
    assert links["#sites-0-city"] == "City: Enter the city"
    assert links.keys() >= {"#staff", "#how", "#true"}


def test_without_errors_there_is_no_summary():
    source = '{% from "macros/forms.html" import error_summary, problem_summary %}'
    source += "{{ error_summary(form) }}{{ problem_summary([]) }}"
    assert show(source, form=EveryForm()).strip() == ""


def test_the_problem_summary_translates_and_links():
    problems = [
        Problem("%(count)s answers are missing.", field="/answers", params={"count": 3}),
        Problem("Choose a site.", field="site"),
        SimpleNamespace(message="100% of it <b>failed</b>", field=None),
    ]
    source = '{% from "macros/forms.html" import problem_summary %}{{ problem_summary(found) }}'
    tree = checked(show(source + '<input id="site">', found=problems))
    assert [(node.get("href"), text_of(node)) for node in tree.iter("a")] == [
        ("/answers", "3 answers are missing."),
        ("#site", "Choose a site."),
    ]
    assert text_of(list(tree.iter("li"))[2]) == "100% of it <b>failed</b>"


def test_buttons_submit_and_carry_the_token():
    source = (
        '{% from "macros/forms.html" import post_button, submit %}'
        "{{ post_button('/take', 'Take it', 'danger', {'version': 4}) }}"
        "<form>{{ submit('Save', name='then', value='', variant='quiet') }}</form>"
    )
    tree = checked(show(source))
    sent = {node.get("name"): node.get("value") for node in tree.iter("input")}
    assert sent["version"] == "4"
    assert sent["csrf_token"]
    first, second = tree.iter("button")
    assert {first.get("type"), second.get("type")} == {"submit"}
    assert "usa-button--secondary" in first.get("class")
    assert (second.get("name"), second.get("value")) == ("then", "")


def test_a_status_banner_says_the_state_and_whose_turn_it_is():
    source = (
        '{% from "macros/status.html" import status_banner, tag %}'
        "{{ status_banner('Returned', 'Three answers', 'You', 'warning') }}"
        "{% call status_banner('Sent') %}<p>more</p>{% endcall %}{{ tag('Late <', 'danger') }}"
    )
    tree = checked(show(source))
    first, second = tree.iter("section")
    assert text_of(first) == "Returned Three answers Whose turn You"
    assert text_of(second) == "Sent more"
    assert text_of(next(tree.iter("strong"))) == "Late <"


def test_a_summary_list_names_what_is_changed_and_what_is_missing():
    rows = [
        {"key": "Name", "value": "A & B", "href": "/name", "hidden": "legal name"},
        {"key": "Lines", "value": ["one", "two"]},
        {"key": "Telephone", "value": None, "href": "/phone", "action": "Add"},
        {"key": "Zero", "value": 0},
    ]
    source = '{% from "macros/lists.html" import summary_list %}{{ summary_list(rows) }}'
    tree = checked(show(source, rows=rows))
    assert [text_of(node) for node in tree.iter("a")] == ["Change legal name", "Add Telephone"]
    assert [text_of(node) for node in tree.iter("dd")] == [
        "A & B",
        "Change legal name",
        "one two",
        "Not given",
        "Add Telephone",
        "0",
    ]


def test_a_locked_task_is_no_link_and_a_status_belongs_to_its_task():
    groups = [
        {
            "title": "Company",
            "tasks": [
                {"title": "Details", "href": "/details", "hint": "Two left", "status": "Open"},
                {"title": "Sites", "href": None, "status": "Locked", "tone": "neutral"},
            ],
        },
        {"title": "Answers", "tasks": [{"title": "Cargo", "href": "/cargo", "status": "Done"}]},
    ]
    source = '{% from "macros/lists.html" import task_list %}{{ task_list(groups) }}'
    tree = checked(show(source, groups=groups))
    links = {text_of(node): node for node in tree.iter("a")}
    assert links.keys() == {"Details", "Cargo"}
    described = links["Details"].get("aria-describedby").split()
    assert [text_of(by_id(tree, target)) for target in described] == ["Two left", "Open"]


def test_an_empty_place_says_what_to_do_first():
    source = (
        '{% from "macros/lists.html" import definition, empty %}'
        "{{ empty('None yet', 'Because.', 'Add one', '/new') }}{{ empty('None', none) }}"
        '<dl class="definitions">{{ definition("Tier", 2) }}</dl>'
    )
    tree = checked(show(source))
    assert [node.get("href") for node in tree.iter("a")] == ["/new"]
    assert text_of(next(tree.iter("dd"))) == "2"


TABLE = '{% from "macros/tables.html" import table %}{{ table("Cases", columns, rows, "None.") }}'
COLUMNS = [
    {"key": "ref", "label": "Case"},
    {"key": "days", "label": "Days left", "numeric": True},
    {"key": "state", "label": "State"},
]


def test_a_table_names_its_rows_and_columns():
    rows = [
        {"ref": {"text": "C-1", "href": "/c/1"}, "days": 0, "state": {"text": "Open", "tone": "x"}},
        {"ref": "<C-2>", "days": None, "state": "Closed"},
    ]
    tree = checked(show(TABLE, columns=COLUMNS, rows=rows))
    assert text_of(next(tree.iter("caption"))) == "Cases"
    heads = [(node.get("scope"), text_of(node)) for node in tree.iter("th")]
    assert heads == [
        ("col", "Case"),
        ("col", "Days left"),
        ("col", "State"),
        ("row", "C-1"),
        ("row", "<C-2>"),
    ]
    cells = [(node.get("data-label"), text_of(node)) for node in tree.iter("td")]
    assert cells == [
        ("Days left", "0"),
        ("State", "Open"),
        ("Days left", ""),
        ("State", "Closed"),
    ]


def test_a_table_without_rows_says_so_and_a_forgotten_cell_is_an_error():
    assert text_of(checked(show(TABLE, columns=COLUMNS, rows=[]))).endswith("None.")
    with pytest.raises(UndefinedError):
        show(TABLE, columns=COLUMNS, rows=[{"ref": "C-1"}])


@pytest.mark.parametrize(
    ("number", "pages", "words"),
    [
        (1, 1, []),
        (1, 3, ["1", "2", "3", "Next"]),
        (3, 3, ["Previous", "1", "2", "3"]),
        (5, 9, ["Previous", "1", "…", "4", "5", "6", "…", "9", "Next"]),
    ],
)
def test_paging_shows_where_one_is(number, pages, words):
    page = SimpleNamespace(number=number, pages=pages, total=99, url=lambda to: f"?page={to}")
    source = '{% from "macros/tables.html" import pagination %}{{ pagination(page) }}'
    tree = checked(show(source, page=page))
    assert [text_of(node) for node in tree.iter("li")] == words
    current = [node.get("href") for node in tree.iter("a") if node.get("aria-current")]
    assert current == ([f"?page={number}"] if words else [])


def test_dates_are_read_by_people_and_machines():
    source = (
        '{% from "macros/dates.html" import day, when %}'
        "{{ when(at) }}{{ day(on) }}{{ when(none) }}{{ day(none) }}"
    )
    at = datetime(2026, 11, 24, 2, 5, tzinfo=UTC)
    first, second = checked(show(source, at=at, on=date(2027, 1, 3))).iter("time")
    assert (first.get("datetime"), text_of(first)) == (
        at.isoformat(),
        "24 November 2026, 02:05 UTC",
    )
    assert (second.get("datetime"), text_of(second)) == ("2027-01-03", "3 January 2027")


def test_bars_are_a_table_whose_pictures_are_decoration():
    items = [
        {"label": "Cargo", "value": 9, "max": 12, "text": "9 of 12"},
        {"label": "Nothing", "value": 0, "max": 0},
        {"label": "Too much", "value": 5, "max": 4},
    ]
    source = '{% from "macros/charts.html" import bars %}{{ bars("Ready", items, "Met") }}'
    tree = checked(show(source, items=items))
    widths = [node.get("width") for node in tree.iter() if node.get("class") == "chart__value"]
    assert widths == ["75.0%", "0%", "100%"]
    assert [node.get("aria-hidden") for node in tree.iter() if node.tag.endswith("svg")] == [
        "true"
    ] * 3
    assert [text_of(node) for node in tree.iter("th")] == ["Cargo", "Nothing", "Too much"]
    assert [text_of(node) for node in tree.iter("td") if node.get("class") == "chart__figure"] == [
        "9 of 12",
        "0",
        "5",
    ]


def test_page_parts():
    source = (
        '{% from "macros/page.html" import back, breadcrumbs, heading, stats, tabs, timeline %}'
        "{{ back('/up', 'All') }}{{ breadcrumbs([{'label': 'Up', 'href': '/up'}]) }}"
        "{{ heading('Title', 'AP-1', 'Lead') }}{{ stats([{'label': 'Open', 'value': 3}]) }}"
        "{{ tabs('Queues', [{'label': 'Mine', 'href': '/m', 'current': true, 'count': 0},"
        " {'label': 'All', 'href': '/a'}]) }}"
        "{{ timeline([{'title': 'Sent', 'at': 'today', 'by': 'Ann'}, {'title': 'In', 'at': ''}]) }}"
    )
    tree = checked(show(source))
    assert text_of(next(tree.iter("h1"))) == "Title"
    current = [text_of(node) for node in tree.iter("a") if node.get("aria-current")]
    assert current == ["Mine 0"]

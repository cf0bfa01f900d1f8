"""Our own security rules: each has an example that breaks it and one that keeps it, and all hold."""

import re
from pathlib import Path

import pytest

from scripts.house_rules import RULES, files, judge, main

ROOT = Path(__file__).resolve().parents[2]
VIEW = "app/traders/views/sites.py"
SERVICE = "app/traders/service/sites.py"

# Rule, file, source. `# bad` marks each line that must be found; all others must not be.
EXAMPLES = [
    ("raw-markup", VIEW, "from markupsafe import Markup as M\nx = M(name)  # bad\n"),
    ("raw-markup", VIEW, "import flask\nflask.render_template_string(name)  # bad\n"),
    ("raw-markup", VIEW, "Environment(autoescape=False)  # bad\nEnvironment(autoescape=True)\n"),
    ("raw-markup", VIEW, "from markupsafe import escape\nx = escape(name)\n"),
    ("sql-from-parts", SERVICE, "db.execute(f'SELECT {x}')  # bad\ndb.execute('SELECT :x', {})\n"),
    ("sql-from-parts", SERVICE, "db.execute('SELECT %s' % x)  # bad\n"),
    ("sql-from-parts", SERVICE, "db.execute('SELECT ' + x)  # bad\n"),
    ("sql-from-parts", SERVICE, "db.execute('SELECT {}'.format(x))  # bad\n"),
    ("sql-from-parts", SERVICE, "q = f'SELECT {x}'\ndb.execute(q)  # bad\n"),
    ("sql-from-parts", SERVICE, "from sqlalchemy import text as t\nt(f'SELECT {x}')  # bad\n"),
    (
        "sql-from-parts",
        SERVICE,
        "from psycopg import sql\nfrom words import text\ntext(f'{x}')\n"
        "db.execute(sql.SQL('DROP {}').format(sql.Identifier(x)))\n",
    ),
    (
        "pattern-from-data",
        SERVICE,
        "import re\nfrom re import sub as s\nre.compile('a')\nre.compile(name)  # bad\n"
        "re.match(f'a{name}', x)  # bad\nre.search('a' + name, x)  # bad\ns(name, '', x)  # bad\n"
        "re.compile(re.escape(name) + r'\\.x')\nre.compile(f'{_A.pattern}|{B}')\nx.match(name)\n",
    ),
    (
        "format-from-data",
        SERVICE,
        "from psycopg import sql\nname.format(x)  # bad\ngettext('a').format_map(x)  # bad\n"
        "'{}'.format(x)\nsql.SQL('{}').format(x)\n",
    ),
    (
        "own-clock",
        SERVICE,
        "import datetime as d\nfrom datetime import datetime as when\nimport time\n"
        "d.datetime.now()  # bad\nwhen.utcnow()  # bad\ntime.time()  # bad\nf(when.now)  # bad\n"
        "time.monotonic()\nwork.now\n",
    ),
    ("own-clock", "app/kernel/clock.py", "from datetime import datetime\ndatetime.now()\n"),
    ("own-clock", "clients/python/x.py", "from datetime import datetime\ndatetime.now()\n"),
    (
        "one-door-out",
        SERVICE,
        "import requests  # bad\nimport urllib.request  # bad\nfrom urllib import request  # bad\n"
        "from http.client import HTTPSConnection  # bad\nfrom urllib.parse import quote\n"
        "from http import HTTPStatus\nfrom requests import RequestException\nimport socket  # bad\n",
    ),
    (
        "one-door-out",
        SERVICE,
        "import asyncio, importlib, subprocess\nfrom authlib.integrations import requests_client  # bad\n"
        "asyncio.open_connection('h', 1)  # bad\nloop.create_connection(f, 'h')  # bad\n"
        "importlib.import_module('socket')  # bad\n__import__('http.client')  # bad\n"
        "importlib.import_module(name)  # bad\nimportlib.import_module('app.traders')\n"
        "subprocess.run(['/usr/bin/curl', x])  # bad\nsubprocess.run(['git', 'log'])\n"
        "from logging.handlers import HTTPHandler  # bad\nfrom obstore.store import from_url  # bad\n"
        "from app.door.exchange import ask\n",
    ),
    ("one-door-out", "app/door/line.py", "import socket\nimport http.client\n"),
    ("one-door-out", "app/doors.py", "import socket  # bad\n"),
    ("one-door-out", "clients/python/x.py", "import requests\n"),
    (
        "path-from-request",
        VIEW,
        "from flask import request\nfrom pathlib import Path\nimport os\n"
        "@blueprint.get('/<name>')\ndef show(name):\n    open(name)  # bad\n"
        "def other(name):\n    open(name)\n    open(FIXED)\n"
        "def third():\n    wanted = request.args['x']\n    again = wanted + '.txt'\n"
        "    Path(again)  # bad\n    os.remove(request.form['y'])  # bad\n",
    ),
    (
        "catch-all",
        VIEW,
        "try:\n    f()\nexcept Exception:  # bad\n    raise\n"
        "try:\n    f()\nexcept (ValueError, BaseException):  # bad\n    pass\n"
        "try:\n    f()\nexcept ValueError:\n    pass\n",
    ),
    (
        "catch-all",
        SERVICE,
        "try:\n    f()\nexcept:  # bad\n    pass\ntry:\n    f()\nexcept Exception:\n    raise\n"
        "try:\n    f()\nexcept Exception as e:  # bad\n    raise Other from e\n",
    ),
    ("one-commit", SERVICE, "work.session.commit()  # bad\nwork.session.flush()\n"),
    ("one-commit", "app/web/requests.py", "work.session.commit()\n"),
    (
        "secret-in-log",
        SERVICE,
        "log.info('x', token=t)  # bad\nlogger.error('x', person.password)  # bad\n"
        "structlog.get_logger('x')\nlog.warning(f'{client_secret}')  # bad\n"
        "log.info('x', token_id=t)\nself.log.info('x', note=form.password.data)  # bad\n"
        "catalog.info('x', token=t)\n",
    ),
    (
        "open-redirect",
        VIEW,
        "from flask import redirect, request, url_for\nfrom x import local_path\n"
        "def a():\n    return redirect(request.args['next'])  # bad\n"
        "def b():\n    wanted = request.args['next']\n    return redirect(wanted)  # bad\n"
        "def c():\n    return redirect(local_path(request.args['next']))\n"
        "def d():\n    wanted = local_path(request.args['next'])\n    return redirect(wanted)\n"
        "def e():\n    wanted = request.args['n']\n    return redirect(f'{wanted}/x')  # bad\n"
        "def f():\n    n = request.args['n']\n    return redirect(f'{url_for(x)}?n={n}')\n",
    ),
    (
        "mass-assignment",
        VIEW,
        "from flask import request\nSite(**request.get_json())  # bad\nSite(**form.data)  # bad\n"
        "url_for(x, **request.view_args)\nform.populate_obj(site)  # bad\nSite(name=form.name.data)\nSite(**known)\n",
    ),
    (
        "csrf-and-cookies",
        VIEW,
        "csrf.exempt(view)  # bad\nresponse.set_cookie('a', 'b')  # bad\ncsrf.protect()\n",
    ),
    ("csrf-and-cookies", "app/identity/sessions.py", "response.set_cookie('a', 'b')\n"),
    (
        "dangerous-tool",
        SERVICE,
        "import pickle, hashlib, ssl, os, re\npickle.loads(x)  # bad\neval(x)  # bad\n"
        "hashlib.md5(x)  # bad\nhashlib.sha256(x)\nre.compile(x)\nos.system(x)  # bad\n"
        "c.verify_mode = ssl.CERT_NONE  # bad\nrun(x, shell=True)  # bad\nget(x, verify=False)  # bad\n"
        "from xml.etree import ElementTree as E\nE.parse(x)  # bad\nget(x, verify=True)\n",
    ),
    (
        "guessable",
        SERVICE,
        "import random  # bad\nfrom random import Random  # bad\nimport secrets\n",
    ),
    ("guessable", "app/demo/cast.py", "from random import Random\n"),
    (
        "leaky-comparison",
        SERVICE,
        "if given == kept.secret:  # bad\n    pass\nif token != found:  # bad\n    pass\n"
        "if kind == 'token':\n    pass\nif method == Method.PASSWORD:\n    pass\n"
        "if hmac.compare_digest(given, secret):\n    pass\n",
    ),
]


@pytest.mark.parametrize(("rule", "path", "source"), EXAMPLES)
def test_a_rule_finds_what_breaks_it_and_nothing_else(rule, path, source):
    bad = {n for n, line in enumerate(source.splitlines(), 1) if line.endswith("# bad")}
    assert {one.line for one in judge(path, source) if one.rule == rule} == bad


def test_every_rule_has_a_bad_and_a_good_example():
    for rule in RULES:
        lines = [
            line for name, _, source in EXAMPLES if name == rule for line in source.splitlines()
        ]
        assert any(line.endswith("# bad") for line in lines), rule
        assert any(not line.endswith("# bad") for line in lines), rule


@pytest.mark.parametrize(
    "line",
    [
        "<p>{{ name|safe }}",
        "{{ name | safe }}",
        "{% autoescape false %}",
        '<a href="javascript:x">',
    ],
)
def test_a_template_trusts_no_text(line):
    assert [one.rule for one in judge("templates/x.html", f"<p>\n{line}\n")] == ["raw-markup"]
    assert judge("templates/x.html", "<p>{{ safe|e }} {{ name|safely }}</p>") == []


def test_a_permission_needs_its_rule_its_reason_and_something_to_permit():
    said = "work.session.commit()  # house: "
    assert judge(SERVICE, f"{said}one-commit - no request is served here.\n") == []
    above = "# house: one-commit - no request is served here.\nwork.session.commit()\n"
    assert judge(SERVICE, above) == []
    assert [one.why for one in judge(SERVICE, f"{said}one-commit\n")] == [
        "A request has one transaction with one owner: app/web/requests.py."
    ]
    assert {one.rule for one in judge(SERVICE, f"{said}one-comit - a slip.\n")} == {
        "one-commit",
        "one-comit",
    }
    idle = judge(SERVICE, "x = 1  # house: one-commit - nothing to see.\n")
    assert [one.why for one in idle] == ["Nothing here breaks the rule."]


def test_the_house_keeps_its_rules(capsys):
    assert len(list(files(ROOT))) > 400
    assert main([]) == 0, capsys.readouterr().out


def test_the_program_fails_on_a_breach_and_on_an_empty_folder(tmp_path, capsys):
    (tmp_path / "app").mkdir()
    (tmp_path / "bootstrap.py").write_text("")
    assert main([str(tmp_path)]) == 0
    (tmp_path / "app" / "x.py").write_text("import random\n")
    assert main([str(tmp_path)]) == 1
    assert "app/x.py:1: guessable" in capsys.readouterr().out


def test_every_exception_from_bandit_names_its_rule_and_has_a_reason():
    found = []
    for path in files(ROOT):
        if path.suffix == ".py":
            lines = path.read_text().splitlines()
            for number, line in enumerate(lines):
                if re.search(r"#\s*nosec\b", line):
                    found.append(f"{path.relative_to(ROOT)}:{number + 1}")
                    assert re.search(r"# nosec B\d{3}", line), found[-1]
                    above = lines[number - 1].strip()
                    assert re.search(r"# noqa: [SB\d, ]+ - \S", line) or above.startswith("#"), (
                        found[-1]
                    )
    assert found

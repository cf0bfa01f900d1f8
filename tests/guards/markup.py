"""Our templates under the application's own Jinja settings, and a strict look at what they give."""

import re
from collections import Counter
from pathlib import Path

import html5lib
from flask import Flask, render_template_string
from flask_babel import Babel
from flask_wtf.csrf import CSRFProtect
from jinja2 import StrictUndefined

from app.web.assets import register_assets
from app.web.filters import register_filters

ROOT = Path(__file__).resolve().parents[2]


def make_site():
    """Our templates under the application's own Jinja settings, with the addresses they need."""
    flask = Flask("pages", template_folder=str(ROOT / "templates"), static_folder=None)
    flask.config.update(SECRET_KEY="not a secret", SERVER_NAME="localhost")
    flask.jinja_env.undefined = StrictUndefined
    flask.jinja_env.trim_blocks = True
    flask.jinja_env.lstrip_blocks = True
    Babel(flask)
    CSRFProtect(flask)
    register_assets(flask)
    register_filters(flask)
    for endpoint in ("traders.switch", "identity.security", "identity.sign_out"):
        flask.add_url_rule(f"/{endpoint}", endpoint, lambda: "")
    return flask


SITE = make_site()


def show(source, **context):
    """Render a piece of template and return its HTML."""
    with SITE.test_request_context():
        return render_template_string(source, **context)


def checked(html, *, whole=False):
    """The parsed document, after looking for parse errors, doubled ids and dangling references."""
    document = html if whole else f"<!DOCTYPE html><title>t</title><body>{html}</body>"
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    tree = parser.parse(document)
    ids = [node.get("id") for node in tree.iter() if node.get("id")]
    assert [one for one, count in Counter(ids).items() if count > 1] == []
    for node in tree.iter():
        for attribute in ("for", "aria-describedby", "aria-controls", "aria-labelledby"):
            for target in (node.get(attribute) or "").split():
                assert target in ids, f"{attribute} names {target}, which is not there"
        if node.tag == "a" and node.get("href", "").startswith("#"):
            assert node.get("href")[1:] in ids, node.get("href")
    return tree


def text_of(node):
    return re.sub(r"\s+", " ", "".join(node.itertext())).strip()


def by_id(tree, target):
    return next(node for node in tree.iter() if node.get("id") == target)

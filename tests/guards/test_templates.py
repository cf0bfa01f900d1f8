"""Templates: they parse, every text goes through gettext, nothing inline, fragments are parts."""

import re
from pathlib import Path

import pytest
from jinja2 import nodes

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"


def pages() -> list[Path]:
    found = sorted(TEMPLATES.rglob("*.html"))
    assert len(found) > 20
    return found


def test_every_template_parses(app):
    for path in pages():
        app.jinja_env.parse(path.read_text(), filename=str(path))
        app.jinja_env.get_template(str(path.relative_to(TEMPLATES)))


INLINE = re.compile(
    r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=|hx-on|hx-vars|\bjavascript:|hx-vals=['\"]js:",
    re.IGNORECASE,
)


def test_no_inline_script_or_style():
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in pages()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if INLINE.search(line)
    ]
    assert found == []


MARKUP_FROM_SCRIPT = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
)
MERGING = re.compile(r"__proto__|\.prototype\b|Object\.assign|\bfor \((?:const|let|var) \w+ in\b")


@pytest.mark.parametrize("forbidden", [MARKUP_FROM_SCRIPT, MERGING], ids=["markup", "merging"])
def test_our_scripts_make_no_markup_and_merge_no_objects(forbidden):
    scripts = sorted((ROOT / "static").glob("*.js"))
    assert len(scripts) > 1
    assert [one.name for one in scripts if forbidden.search(one.read_text("utf-8"))] == []


def test_included_templates_are_not_used():
    """An include sees everything; shared pieces are macros with explicit arguments."""
    assert [str(p) for p in pages() if re.search(r"\{%-?\s*include\b", p.read_text())] == []


UNTRANSLATED = re.compile(r"[A-Za-z]{3,}\s+[a-z]{2,}")


def test_every_text_goes_through_gettext(app):
    """Literal template data must not hold prose: two words of letters in a row outside markup."""
    found = []
    for path in pages():
        tree = app.jinja_env.parse(path.read_text())
        for output in tree.find_all(nodes.TemplateData):
            prose = re.sub(r"<[^>]*>|^[^<]*>|<[^>]*$|&\w+;", "\n", output.data)
            found += [
                f"{path.relative_to(ROOT)}:{output.lineno}: {line.strip()}"
                for line in prose.splitlines()
                if "=" not in line and UNTRANSLATED.search(line)
            ]
    assert found == []


def test_no_template_compares_a_state():
    """Templates ask `available()`; a comparison would write the workflow a second time."""
    pattern = re.compile(r"\.(?:state|_state)\s*(?:==|!=|in\b)")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in pages()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


FRAGMENT = re.compile(r"render\(\s*\"([^\"]+)\",.*?fragment=\"(\w+)\"", re.DOTALL)


def fragments() -> list[tuple[str, str]]:
    found = set()
    for path in sorted((ROOT / "app").rglob("*.py")):
        for call in re.split(r"(?=\brender\()", path.read_text()):
            match = FRAGMENT.match(call)
            if match:
                found.add((match[1], match[2]))
    assert found
    return sorted(found)


@pytest.mark.parametrize(("template", "block"), fragments())
def test_a_fragment_is_a_block_whose_root_carries_its_name(app, template, block):
    source = (TEMPLATES / template).read_text()
    tree = app.jinja_env.parse(source)
    found = next((b for b in tree.find_all(nodes.Block) if b.name == block), None)
    assert found is not None, f"{template} has no block {block}"
    body = source.split(f"block {block}", 1)[1].split("endblock", 1)[0]
    root = re.search(r"<\w+[^>]*>", body)
    assert root, f"{template}: block {block} has no element"
    assert f'id="{block}"' in root[0], f"{template}: the root of {block} has another id: {root[0]}"


def test_macros_are_imported_inside_the_blocks_of_pages():
    """jinja2-fragments renders a block alone; an import at the top would not be seen there."""
    found = []
    for path in pages():
        text = path.read_text()
        if "{% extends" not in text:
            continue
        before = text.split("{% block", 1)[0]
        if re.search(r"\{%-?\s*(from|import)\b", before):
            found.append(str(path.relative_to(ROOT)))
    assert found == []

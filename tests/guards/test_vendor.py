"""The vendored files are upstream's, complete and light, and the templates use them as they must."""

import gzip
import hashlib
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
VENDOR = STATIC / "vendor"
TEMPLATES = ROOT / "templates"
HTMX = VENDOR / "htmx.org-4.0.1"
# What an ordinary page may weigh: style sheets, scripts and the two fonts that every page shows.
PAGE_BUDGET = 160_000
FONTS = ("sourcesanspro-regular-webfont.woff2", "sourcesanspro-bold-webfont.woff2")

ASSET = re.compile(r"""asset\(\s*["']([^"']+)["']\s*\)""")
# What a strict content policy refuses, or what htmx would have to evaluate as code.
FORBIDDEN_IN_TEMPLATES = {
    "inline style": re.compile(r"""<style\b|\sstyle\s*=\s*["']""", re.IGNORECASE),
    "inline script": re.compile(r"<script\b(?![^>]*\bsrc=)", re.IGNORECASE),
    "event attribute": re.compile(r"""\son[a-z]+\s*=\s*["']""", re.IGNORECASE),
    "hx-on": re.compile(r"\shx-on[:=-]", re.IGNORECASE),
    "js: value": re.compile(r"""\shx-[a-z:-]+\s*=\s*["']\s*(?:js|javascript):""", re.IGNORECASE),
    "trigger filter": re.compile(r"""\shx-trigger\s*=\s*["'][^"']*\w\[""", re.IGNORECASE),
}


def manifest_faults(vendor: Path) -> list[str]:
    """What differs between a folder and the manifest in it."""
    listed: dict[str, str] = json.loads((vendor / "manifest.json").read_text())["files"]
    present = {
        path.relative_to(vendor).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in vendor.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    return (
        [f"missing: {name}" for name in sorted(listed.keys() - present.keys())]
        + [f"not listed: {name}" for name in sorted(present.keys() - listed.keys())]
        + [
            f"altered: {name}"
            for name in sorted(listed.keys() & present.keys())
            if listed[name] != present[name]
        ]
    )


def policy_faults(text: str) -> list[str]:
    """What of a template the content policy would refuse."""
    markup = re.sub(r"\{#.*?#\}|\{%.*?%\}", "", text, flags=re.DOTALL)
    return [what for what, found in FORBIDDEN_IN_TEMPLATES.items() if found.search(markup)]


def upgrade_check(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(HTMX / "upgrade-check.py"), str(folder)],
        check=False,
        capture_output=True,
        text=True,
    )


def weight(path: Path) -> int:
    """Bytes on the wire: fonts as they are, text with gzip."""
    content = path.read_bytes()
    return len(content) if path.suffix == ".woff2" else len(gzip.compress(content, 9, mtime=0))


def test_every_vendored_file_is_the_one_in_the_manifest():
    assert manifest_faults(VENDOR) == []


@pytest.mark.parametrize("deed", ["altered", "missing", "not listed"])
def test_a_vendored_file_that_was_touched_is_noticed(tmp_path, deed):
    copy = tmp_path / "vendor"
    shutil.copytree(VENDOR, copy)
    victim = copy / "htmx.org-4.0.1" / "htmx.min.js"
    if deed == "altered":
        victim.write_bytes(victim.read_bytes() + b" ")
    elif deed == "missing":
        victim.unlink()
    else:
        (copy / "stray.js").write_text("")
    (fault,) = manifest_faults(copy)
    assert fault.startswith(deed)


def test_every_package_is_pinned_in_the_script_and_carries_its_licence():
    spec = importlib.util.spec_from_file_location("vendor", ROOT / "scripts" / "vendor.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = script
    spec.loader.exec_module(script)
    packages = json.loads((VENDOR / "manifest.json").read_text())["packages"]
    pinned = [(package.name, package.version, package.integrity) for package in script.PACKAGES]
    assert [(one["name"], one["version"], one["integrity"]) for one in packages] == pinned
    for package in packages:
        assert list((VENDOR / package["folder"]).glob("LICENSE*")), package["name"]


def test_compressed_copies_unpack_to_their_originals():
    packed = sorted(VENDOR.rglob("*.gz"))
    assert packed
    for path in packed:
        original = path.with_suffix("")
        assert gzip.decompress(path.read_bytes()) == original.read_bytes(), path.name
        assert original.with_name(original.name + ".br").is_file(), path.name


def test_the_style_sheet_finds_all_that_it_names_but_the_hero_picture():
    stylesheet = VENDOR / "uswds-3.14.0" / "css" / "uswds.min.css"
    named = {
        match.strip("\"'")
        for match in re.findall(r"url\(([^)]+)\)", stylesheet.read_text())
        if not match.strip("\"'").startswith("data:")
    }
    absent = {name for name in named if not (stylesheet.parent / name).is_file()}
    assert absent == {"../img/hero.jpg"}
    for template in TEMPLATES.rglob("*.html"):
        assert "usa-hero" not in template.read_text(), template.name


def test_templates_name_only_assets_that_exist():
    named = {
        (template.name, path)
        for template in TEMPLATES.rglob("*.html")
        for path in ASSET.findall(template.read_text())
    }
    assert named
    assert {pair for pair in named if not (STATIC / pair[1]).is_file()} == set()


def test_an_ordinary_page_stays_within_its_budget():
    base = (TEMPLATES / "layout" / "base.html").read_text()
    files = [STATIC / path for path in ASSET.findall(base)]
    files += [VENDOR / "uswds-3.14.0" / "fonts" / "source-sans-pro" / name for name in FONTS]
    assert any(path.name == "uswds.min.css" for path in files)
    assert sum(weight(path) for path in files) <= PAGE_BUDGET


def test_templates_hold_nothing_that_the_content_policy_refuses():
    faults = {
        template.relative_to(TEMPLATES).as_posix(): found
        for template in TEMPLATES.rglob("*.html")
        if (found := policy_faults(template.read_text()))
    }
    assert faults == {}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('<p style="color: red">', "inline style"),
        ("<style>p {}</style>", "inline style"),
        ("<script>go()</script>", "inline script"),
        ('<a onclick="go()">', "event attribute"),
        ('<a hx-on:click="go()">', "hx-on"),
        ("<a hx-vals='js:{a: b()}'>", "js: value"),
        ('<a hx-trigger="click[ctrlKey]">', "trigger filter"),
    ],
)
def test_what_the_content_policy_refuses_is_noticed(text, fault):
    assert policy_faults(text) == [fault]


def test_templates_are_written_for_htmx_4():
    answer = upgrade_check(TEMPLATES)
    assert answer.returncode == 0, answer.stdout


def test_an_idiom_of_htmx_2_is_noticed(tmp_path):
    (tmp_path / "page.html").write_text('<div hx-ext="sse" hx-disabled-elt="this"></div>')
    answer = upgrade_check(tmp_path)
    assert answer.returncode == 1
    assert "hx-ext" in answer.stdout


def test_our_scripts_keep_nothing_in_the_browser_but_when_a_session_ends():
    keeps = re.compile(r"localStorage|sessionStorage|indexedDB|document\.cookie|caches\.open")
    found = {one.name: keeps.findall(one.read_text("utf-8")) for one in STATIC.glob("*.js")}
    assert {name: kept for name, kept in found.items() if kept} == {
        "session.js": ["localStorage", "localStorage"]
    }
    assert 'const NOTE = "fairway-session-idle-until";' in (STATIC / "session.js").read_text(
        "utf-8"
    )

"""Rules of this house that no general linter knows, read from the syntax tree.

`python -m scripts.house_rules [FOLDER]` prints `file:line: rule: reason` for each breach and ends
with 1 if there was one.  A line that must break a rule says so, and why, in a comment behind it or above it:

    fallback = urlopen(address)  # house: one-door-out - our own address, read at the start.

A permission without a reason, for an unknown rule, or on a line that breaks nothing is a breach
itself.  Each rule has an example that breaks it and one that does not: tests/guards.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.syntax import Source, given, is_put_together, mentions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PERMISSION = re.compile(r"#\s*house:\s*(?P<rule>[\w-]+)(?:\s+-\s+(?P<reason>\S.*))?")
TEMPLATE_TRUST = re.compile(r"\|\s*safe\b|\bautoescape\s+false|\bMarkup\b|javascript:")
SECRET = re.compile(
    r"(?:^|_)(?:passwords?|passphrase|secrets?|tokens?|credentials?|cookies?|authorization|otp"
    r"|private_key|recovery_codes?|assertion)$"
)
LOGS = {"debug", "info", "warning", "warn", "error", "exception", "critical", "bind", "msg"}


@dataclass(frozen=True, order=True)
class Breach:
    """One place that breaks one rule; `path` is relative to the project."""

    path: str
    line: int
    rule: str
    why: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.why}"


def raw_markup(source: Source) -> Iterator[int]:
    """Text becomes markup in templates alone, which escape it."""
    yield from (
        call.lineno
        for call, name in source.calls()
        if name.split(".")[-1] in {"Markup", "render_template_string", "from_string"}
    )
    for call, _ in source.calls():
        yield from (
            call.lineno
            for one in call.keywords
            if one.arg == "autoescape"
            and not (isinstance(one.value, ast.Constant) and one.value.value)
        )


def sql_from_parts(source: Source) -> Iterator[int]:
    """SQL is one constant with parameters, or composed by psycopg.sql, which quotes names."""
    put_together = {
        target.id
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Assign) and is_put_together(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call, name in source.calls():
        last = name.split(".")[-1]
        if last in {"execute", "executemany", "exec_driver_sql", "copy", "text", "mogrify"}:
            if last == "text" and name not in {"sqlalchemy.text", "sqlalchemy.sql.text"}:
                continue
            for one in call.args[:1]:
                if is_put_together(one) or (isinstance(one, ast.Name) and one.id in put_together):
                    yield one.lineno


def own_clock(source: Source) -> Iterator[int]:
    """Time comes from the unit of work, so that it can be told and moved in tests."""
    if source.path in {"app/kernel/clock.py", "app/kernel/ids.py"} or not source.path.startswith(
        "app/"
    ):
        return
    clocks = {f"datetime.datetime.{one}" for one in ("now", "utcnow", "today")}
    clocks |= {"datetime.date.today", "time.time", "time.time_ns", "sqlalchemy.func.now"}
    yield from (
        node.lineno
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute | ast.Name) and source.full(node) in clocks
    )


def one_door_out(source: Source) -> Iterator[int]:
    """What leaves this machine passes app/door, which knows where it may go and for how long."""
    if not source.path.startswith("app/") or source.path.startswith("app/door/"):
        return
    doors = ("requests", "urllib.request", "urllib3", "http.client", "httpx", "aiohttp", "smtplib")
    doors += ("socket", "_socket", "ftplib", "telnetlib", "poplib", "imaplib", "nntplib", "pycurl")
    doors += ("xmlrpc", "socketserver", "websockets", "websocket", "paramiko", "dns", "httpcore")
    doors += ("obstore", "multiprocessing.connection", "logging.handlers", "webbrowser")
    doors += tuple(f"authlib.integrations.{one}_client" for one in ("flask", "requests", "httpx"))
    calls = {f"asyncio.{one}" for one in ("open_connection", "open_unix_connection")}
    calls |= {"importlib.import_module", "__import__"}
    programs = {"curl", "wget", "nc", "ncat", "ssh", "scp", "sftp", "ftp", "telnet", "openssl"}
    for call, name in source.calls():
        first = call.args[0] if call.args else None
        if isinstance(first, ast.List | ast.Tuple) and first.elts:
            first = first.elts[0]
        said = first.value if isinstance(first, ast.Constant) else ""
        started = name.startswith(("subprocess.", "os.exec", "os.spawn", "os.posix_spawn"))
        if (
            (name in calls and (name.startswith("asyncio.") or not said or _leads_out(said, doors)))
            or name.split(".")[-1] in {"create_connection", "create_datagram_endpoint"}
            or (started and isinstance(said, str) and said.split("/")[-1] in programs)
        ):
            yield call.lineno
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            named = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            # An exception's name sends nothing.
            named = [
                f"{node.module}.{one.name}"
                for one in node.names
                if not one.name.endswith(("Error", "Exception"))
            ]
        else:
            continue
        if any(_leads_out(one, doors) for one in named):
            yield node.lineno


def _leads_out(module: object, doors: tuple[str, ...]) -> bool:
    return any(module == door or str(module).startswith(f"{door}.") for door in doors)


def path_from_request(source: Source) -> Iterator[int]:
    """What a request says never becomes the name of a file of this machine."""
    openers = {"open", "io.open", "os.open", "os.remove", "os.unlink", "os.rename", "os.listdir"}
    openers |= {"flask.send_file", "pathlib.Path", "shutil.copy", "shutil.move", "shutil.rmtree"}
    openers |= {"os.path.join", "os.makedirs", "os.mkdir"}
    for function in source.functions():
        names = source.decided(function, by_route=True)
        for node in ast.walk(function):
            if (
                isinstance(node, ast.Call)
                and source.full(node.func) in openers
                and any(mentions(one, names) for one in given(node))
            ):
                yield node.lineno


def catch_all(source: Source) -> Iterator[int]:
    """An error that nobody foresaw ends the request; only one place tidies up and raises it on."""
    if not source.path.startswith("app/"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            last = node.body[-1]
            raises_on = isinstance(last, ast.Raise) and last.exc is None and not source.in_a_view
            if not raises_on and any(
                one is None or source.full(one) in {"Exception", "BaseException"} for one in kinds
            ):
                yield node.lineno


def one_commit(source: Source) -> Iterator[int]:
    """A request has one transaction with one owner: app/web/requests.py."""
    if source.path == "app/web/requests.py" or not source.path.startswith("app/"):
        return
    yield from (
        call.lineno
        for call, _ in source.calls()
        if isinstance(call.func, ast.Attribute) and call.func.attr == "commit"
    )


def secret_in_log(source: Source) -> Iterator[int]:
    """A log is read by more people than a secret is."""
    for call, name in source.calls():
        owner, _, last = name.rpartition(".")
        if last not in LOGS or not re.search(r"(?:^|[._])log(?:ger|ging)?$", owner):
            continue
        words = [one.arg or "" for one in call.keywords]
        for one in (part for whole in given(call) for part in ast.walk(whole)):
            words += [one.id] if isinstance(one, ast.Name) else []
            words += [one.attr] if isinstance(one, ast.Attribute) else []
        if any(SECRET.search(word.lower()) for word in words):
            yield call.lineno


def open_redirect(source: Source) -> Iterator[int]:
    """Where a request says to go next is asked of `local_path` first."""
    for function in source.functions():
        names = source.decided(function, by_route=False)
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and source.full(node.func).split(".")[-1] == "redirect":
                yield from (
                    node.lineno
                    for one in given(node)
                    if mentions(one, names) and not source.is_local(one)
                )


def mass_assignment(source: Source) -> Iterator[int]:
    """A row takes the fields that a form declares one by one, never all that was sent."""
    for call, name in source.calls():
        spread = [one.value for one in call.keywords if one.arg is None]
        from_request = any(
            # What the route itself has matched names no field.
            (
                source.full(part).startswith("flask.request.")
                and source.full(part) != "flask.request.view_args"
            )
            or (isinstance(part, ast.Attribute) and source.full(part).endswith("form.data"))
            for one in spread
            for part in ast.walk(one)
        )
        if from_request or name.split(".")[-1] == "populate_obj":
            yield call.lineno


def csrf_and_cookies(source: Source) -> Iterator[int]:
    """Forms are protected without exception, and one place sets the one cookie."""
    yield from (
        call.lineno
        for call, name in source.calls()
        if name.endswith("csrf.exempt")
        or (name.endswith(".set_cookie") and source.path != "app/identity/sessions.py")
    )


def dangerous_tool(source: Source) -> Iterator[int]:
    """No code from data, no entities from XML, no broken hash, no unchecked certificate."""
    banned = {"eval", "exec", "compile", "pickle", "marshal", "shelve", "dill", "os.system"}
    banned |= {"os.popen", "hashlib.md5", "hashlib.sha1", "ssl._create_unverified_context"}
    banned |= {"ssl.CERT_NONE", "tempfile.mktemp", "xml.etree", "xml.dom", "xml.sax", "lxml"}
    for node in ast.walk(source.tree):
        whole = ""
        if isinstance(node, ast.Name | ast.Attribute):
            whole = source.full(node)
        unsafe = (
            isinstance(node, ast.keyword)
            and isinstance(node.value, ast.Constant)
            and (node.arg, node.value.value) in {("shell", True), ("verify", False)}
        )
        if unsafe or any(whole == one or whole.startswith(f"{one}.") for one in banned):
            yield node.lineno


def guessable(source: Source) -> Iterator[int]:
    """Chance is for demonstrations and tests; what must not be guessed comes from `secrets`."""
    if not source.path.startswith("app/demo/"):
        yield from (
            node.lineno
            for node in ast.walk(source.tree)
            if (isinstance(node, ast.ImportFrom) and node.module == "random")
            or (isinstance(node, ast.Import) and any(one.name == "random" for one in node.names))
        )


def leaky_comparison(source: Source) -> Iterator[int]:
    """Two secrets are compared in constant time: `hmac.compare_digest`."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
            sides = [node.left, *node.comparators]
            # A name in capitals is a constant of ours, such as the name of a method.
            named = [source.full(one).split(".")[-1] for one in sides]
            plain = any(isinstance(one, ast.Constant) for one in sides)
            constant = plain or any(one.isupper() for one in named)
            if not constant and any(SECRET.search(one) for one in named):
                yield node.lineno


def pattern_from_data(source: Source) -> Iterator[int]:
    """A pattern is a constant; what is put into one has been escaped, or is a pattern of ours."""
    calls = {"compile", "match", "fullmatch", "search", "sub", "subn", "split", "findall"}
    for call, name in source.calls():
        owner, _, last = name.partition(".")
        if owner == "re" and last in calls | {"finditer"} and call.args:
            parts = [call.args[0]]
            while parts:
                one = parts.pop()
                if isinstance(one, ast.JoinedStr):
                    parts += one.values
                elif isinstance(one, ast.FormattedValue):
                    parts.append(one.value)
                elif isinstance(one, ast.BinOp):
                    parts += [one.left, one.right]
                elif not _is_ours(source, one):
                    yield call.lineno
                    break


def _is_ours(source: Source, part: ast.expr) -> bool:
    """Whether a part of a pattern is written here: a constant, or escaped."""
    if isinstance(part, ast.Call):
        return source.full(part.func) == "re.escape"
    name = source.full(part).removesuffix(".pattern").split(".")[-1]
    return isinstance(part, ast.Constant) or name.isupper()


def format_from_data(source: Source) -> Iterator[int]:
    """The text that is filled in is a constant: a stranger's could read what it was given."""
    yield from (
        call.lineno
        for call, _ in source.calls()
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in {"format", "format_map"}
        and not isinstance(call.func.value, ast.Constant)
        and not (
            isinstance(call.func.value, ast.Call)
            and source.full(call.func.value.func) == "psycopg.sql.SQL"
        )
    )


RULES: dict[str, Callable[[Source], Iterator[int]]] = {
    rule.__name__.replace("_", "-"): rule
    for rule in (
        raw_markup,
        sql_from_parts,
        own_clock,
        one_door_out,
        path_from_request,
        catch_all,
        one_commit,
        secret_in_log,
        open_redirect,
        mass_assignment,
        csrf_and_cookies,
        dangerous_tool,
        guessable,
        leaky_comparison,
        pattern_from_data,
        format_from_data,
    )
}


def judge(path: str, text: str) -> list[Breach]:
    """Every breach in one file, permissions that are wrong or idle included."""
    if not path.endswith(".py"):
        return [
            Breach(path, number, "raw-markup", sentence(raw_markup))
            for number, line in enumerate(text.splitlines(), 1)
            if TEMPLATE_TRUST.search(line)
        ]
    source = Source(path, text)
    found = {
        (line, name): Breach(path, line, name, sentence(rule))
        for name, rule in RULES.items()
        for line in rule(source)
    }
    for line, name, reason in permissions(text):
        if reason and found.pop((line, name), None):
            continue
        why = "The permission has no reason." if not reason else "Nothing here breaks the rule."
        found.setdefault((line, name), Breach(path, line, name, why))
    return sorted(found.values())


def permissions(text: str) -> Iterator[tuple[int, str, str]]:
    """The line, rule and reason of each permission."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            for one in PERMISSION.finditer(token.string):
                # A comment with a line of its own speaks of the next one.
                own = token.line.lstrip().startswith("#")
                yield token.start[0] + own, one["rule"], one["reason"] or ""


def sentence(rule: Callable[[Source], Iterator[int]]) -> str:
    """What the rule says of itself."""
    return (rule.__doc__ or "").splitlines()[0]


def files(root: Path) -> Iterator[Path]:
    """What the rules are for: our programs and templates, not the tests."""
    for folder, pattern in (("app", "*.py"), ("scripts", "*.py"), ("clients", "*.py")):
        yield from sorted((root / folder).rglob(pattern))
    yield from sorted((root / "templates").rglob("*.html"))
    yield root / "bootstrap.py"


def main(arguments: list[str]) -> int:
    """Judge a folder, this project's by default."""
    root = Path(arguments[0] if arguments else Path(__file__).parents[1]).resolve()
    judged, breaches = 0, []
    for path in files(root):
        judged += 1
        breaches += judge(str(path.relative_to(root)), path.read_text("utf-8"))
    for breach in breaches:
        print(breach)
    print(f"house rules: {len(RULES)} rules, {judged} files, {len(breaches)} breaches")
    return 1 if breaches or not judged else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

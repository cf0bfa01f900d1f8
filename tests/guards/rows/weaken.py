"""Ways to weaken a rule: each condition of a policy or of a function in turn becomes true."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, text

_POLICIES = text("""
SELECT polrelid::regclass::text AS table_name, polname AS name, polcmd AS command,
       polpermissive AS permissive,
       (SELECT array_agg(replace(r::regrole::text, 'fairway_', '')) FROM unnest(polroles) r) AS roles,
       pg_get_expr(polqual, polrelid) AS using, pg_get_expr(polwithcheck, polrelid) AS check
FROM pg_policy WHERE (SELECT relnamespace FROM pg_class WHERE oid = polrelid) = CAST(:schema AS regnamespace)
ORDER BY 1, 2
""")
_FUNCTIONS = text("""
SELECT proname AS name, prosrc AS body, pg_get_functiondef(oid) AS definition FROM pg_proc
WHERE pronamespace = 'public'::regnamespace AND prosecdef
  AND prolang = (SELECT oid FROM pg_language WHERE lanname = 'sql')
ORDER BY 1
""")


@dataclass(frozen=True)
class Mutant:
    """A rule with one condition less: `statement` puts it into the database."""

    role: str
    table: str
    part: str
    atom: str
    statement: str
    using: str = ""

    def __str__(self) -> str:
        return f"{self.role} {self.table} {self.part}: {self.atom}"


def inside(rule: str) -> tuple[int, int]:
    """Where the rule stands within its outer pairs of parentheses."""
    start, end = 0, len(rule)
    while rule[start] == "(" and closing(rule, start) == end - 1:
        start, end = start + 1, end - 1
    return start, end


def closing(rule: str, at: int) -> int:
    depth = 0
    for index in range(at, len(rule)):
        depth += {"(": 1, ")": -1}.get(rule[index], 0)
        if depth == 0:
            return index
    message = f"no end of {rule[at:]}"
    raise ValueError(message)


def parts(rule: str, offset: int = 0) -> Iterator[tuple[int, int]]:
    """Where each condition of a printed rule stands, those of its subqueries too."""
    start, end = inside(rule)
    depth, cuts = 0, [start]
    for index in range(start, end):
        depth += {"(": 1, ")": -1}.get(rule[index], 0)
        if depth == 0 and (found := re.match(r" (AND|OR) ", rule[index:end])):
            cuts += [index, index + len(found.group())]
    cuts.append(end)
    terms = list(zip(cuts[::2], cuts[1::2], strict=True))
    if len(terms) > 1:
        for first, last in terms:
            yield from parts(rule[first:last], offset + first)
        return
    yield offset + start, offset + end
    for found in re.finditer(r"WHERE (?=\()", rule[start:end]):
        begin = start + found.end()
        yield from parts(rule[begin : closing(rule, begin) + 1], offset + begin)


def of_policies(connection: Connection, schema: str = "public") -> Iterator[Mutant]:
    """Each condition of each policy of a role that serves, in USING and WITH CHECK apart."""
    for row in connection.execute(_POLICIES, {"schema": schema}):
        for role in row.roles:
            if role in {"app", "owner"}:
                continue
            for part, rule in (("USING", row.using), ("WITH CHECK", row.check)):
                for begin, end in parts(rule) if rule else ():
                    if rule[begin:end] == "true":
                        continue
                    weaker = f"{rule[:begin]}true{rule[end:]}"
                    yield Mutant(
                        role,
                        row.table_name,
                        f"{row.name} {part}",
                        rule[begin:end],
                        f"ALTER POLICY {row.name} ON {row.table_name} {part} ({weaker})",
                        row.using or "",
                    )


def forgotten(connection: Connection) -> Iterator[Mutant]:
    """For each role, table and command one policy more, which opens that command to every row."""
    for row in connection.execute(_POLICIES, {"schema": "public"}):
        for role in row.roles:
            if role in {"app", "owner"} or not row.permissive:
                continue
            open_to = {row.using, row.check} - {"true", "(true AND true)"}
            for command in ("SELECT", "INSERT", "UPDATE", "DELETE"):
                asked = {"SELECT": row.using, "DELETE": row.using, "INSERT": row.check}
                if not open_to or asked.get(command) in {"true", "(true AND true)"}:
                    # Every row is open to the role, or may be written by it, already.
                    continue
                rules = {"SELECT": "USING (true)", "DELETE": "USING (true)"}.get(
                    command, "USING (true) WITH CHECK (true)"
                )
                if command == "INSERT":
                    rules = "WITH CHECK (true)"
                yield Mutant(
                    role,
                    row.table_name,
                    command,
                    "one policy more",
                    f"CREATE POLICY forgotten ON {row.table_name} FOR {command}"
                    f" TO fairway_{role} {rules}",
                    row.using or "",
                )


_END = re.compile(r"\b(AND|WHERE|GROUP|ORDER|UNION|THEN|JOIN|LIMIT|ELSE|OR)\b")


def of_functions(connection: Connection) -> Iterator[tuple[str, str, str]]:
    """(function, condition, definition without it) for each condition of each function."""
    for row in connection.execute(_FUNCTIONS):
        for begin, end in conditions(row.body):
            weaker = f"{row.body[:begin]} true {row.body[end:]}"
            yield (
                row.name,
                " ".join(row.body[begin:end].split()),
                row.definition.replace(row.body, weaker),
            )


def conditions(body: str) -> Iterator[tuple[int, int]]:
    """Where the conditions after WHERE, AND and ON stand in a function's text."""
    for found in re.finditer(r"\b(WHERE|AND|OR|ON)\s", body):
        depth = 0
        for index in range(found.end(), len(body) + 1):
            here = body[index : index + 1]
            depth += {"(": 1, ")": -1}.get(here, 0)
            ended = not here or depth < 0
            if ended or (
                depth == 0
                and index > found.end()
                and _END.match(body, index)
                and not within_case(body[found.end() : index])
            ):
                yield found.end(), index
                break


def within_case(words: str) -> bool:
    return len(re.findall(r"\bCASE\b", words)) > len(re.findall(r"\bEND\b", words))

"""A Python file as the house rules ask about it: full names, and what a request decides."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCAL = {"local_path", "url_for"}
ROUTES = {"get", "post", "put", "patch", "delete", "route"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Source:
    """A file with what the rules ask of it: full names, and which names a request reaches."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.tree = ast.parse(text, path)
        self.names: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for one in node.names:
                    whole = one.name if one.asname else one.name.partition(".")[0]
                    self.names[one.asname or whole] = whole
            elif isinstance(node, ast.ImportFrom):
                for one in node.names:
                    self.names[one.asname or one.name] = f"{node.module}.{one.name}"

    @property
    def in_a_view(self) -> bool:
        """Whether routes live here."""
        return "/views/" in self.path or self.path.endswith(("/views.py", "/api.py"))

    def full(self, node: ast.AST) -> str:
        """The dotted name of an expression with imports resolved; empty for anything else."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            owner = self.full(node.value)
            return f"{owner}.{node.attr}" if owner else f"?.{node.attr}"
        return ""

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Each call with the full name of what is called."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield node, self.full(node.func)

    def functions(self) -> Iterator[Function]:
        """Each function, methods and inner ones too."""
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                yield node

    def decided(self, function: Function, *, by_route: bool) -> set[str]:
        """The names in a function that a request decides: itself, a route's values, what follows.

        What a judge of addresses returned (`LOCAL`) is not the request's word any more.
        """
        names = {name for name, whole in self.names.items() if whole == "flask.request"}
        if by_route and any(
            isinstance(one, ast.Call)
            and isinstance(one.func, ast.Attribute)
            and one.func.attr in ROUTES
            for one in function.decorator_list
        ):
            names |= {one.arg for one in (*function.args.args, *function.args.kwonlyargs)}
        grown = -1
        while grown != len(names):
            grown = len(names)
            for node in ast.walk(function):
                if (
                    isinstance(node, ast.Assign)
                    and mentions(node.value, names)
                    and not self.is_local(node.value)
                ):
                    names |= {
                        one.id
                        for target in node.targets
                        for one in ast.walk(target)
                        if isinstance(one, ast.Name)
                    }
        return names

    def is_local(self, node: ast.expr) -> bool:
        """Whether an address is surely one of this site: judged, or begun by one of ours."""
        if isinstance(node, ast.JoinedStr):
            first = node.values[0] if node.values else None
            return isinstance(first, ast.FormattedValue) and self.is_local(first.value)
        return isinstance(node, ast.Call) and self.full(node.func).split(".")[-1] in LOCAL


def mentions(node: ast.AST, names: set[str]) -> bool:
    """Whether one of the names occurs in an expression."""
    return any(isinstance(one, ast.Name) and one.id in names for one in ast.walk(node))


def given(call: ast.Call) -> list[ast.expr]:
    """Everything that a call is given."""
    return [*call.args, *(one.value for one in call.keywords)]


def is_put_together(node: ast.expr) -> bool:
    """Whether text is made of parts that the reader cannot see; psycopg's composition is not."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(one, ast.FormattedValue) for one in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        return any(
            isinstance(one, ast.JoinedStr)
            or (isinstance(one, ast.Constant) and isinstance(one.value, str))
            for one in ast.walk(node)
        )
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"format", "join", "replace"}
        and isinstance(node.func.value, ast.Constant)
    )

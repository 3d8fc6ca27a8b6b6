"""Fill the pages of the reference: a line ``<!-- api: PACKAGE -->`` becomes an entry for each public name.

Where a name is defined is read from the imports of its package, so that no page names a private file. A name that two
packages export has its entry on the page of the package in which it is defined; the other page links to it.
"""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent / "src"))

MARK = re.compile(r"^<!-- api: ([\w.]+) -->$", re.MULTILINE)
HEAD = "::: {package}\n    options:\n      show_root_heading: false\n      members: false\n"
ENTRY = "::: {path}\n    options:\n      heading: {name}\n      toc_label: {name}\n"
INHERITS = {"Registry": "      inherited_members: true\n"}
"""Classes whose methods are defined in private bases, and the option that shows them."""


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return the page with its marks replaced by what mkdocstrings reads."""
    return MARK.sub(lambda mark: entries(mark[1]), markdown)


def entries(package: str) -> str:
    """Return the docstring of a package, an entry for each name, and links to entries on other pages."""
    paths = {name: f"{home}.{name}" for name, home in homes(package).items() if name in public_names(package)}
    here = {name: path for name, path in paths.items() if page_of(path) == package}
    links = [f"[`{name}`][{path}]" for name, path in sorted(paths.items()) if name not in here]
    also = [f"It also exports {', '.join(links)}.\n"] if links else []
    names = sorted(here, key=str.lower)
    found = [ENTRY.format(name=name, path=here[name]) + INHERITS.get(name, "") for name in names]
    return "\n".join([HEAD.format(package=package), *also, *found])


def page_of(path: str) -> str:
    """Return the documented package that holds what has this path."""
    return max((package for package in documented() if path.startswith(f"{package}.")), key=len)


@cache
def documented() -> frozenset[str]:
    """Return the packages that have a place in the reference."""
    pages = (page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.md"))
    return frozenset(package for page in pages for package in MARK.findall(page))


@cache
def public_names(package: str) -> frozenset[str]:
    """Return the public names of a package or module."""
    module = import_module(package)
    own = (name for name, value in vars(module).items() if getattr(value, "__module__", None) == package)
    names = getattr(module, "__all__", own)
    return frozenset(name for name in names if not name.startswith("_"))


@cache
def homes(package: str) -> dict[str, str]:
    """Return the module in which each name of a package is defined: its own, or the one that it is imported from."""
    spec = find_spec(package)
    assert spec is not None and spec.origin is not None, package
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    found: dict[str, str] = {}
    guarded = [node for check in tree.body if isinstance(check, ast.If) for node in check.body]
    for node in [*tree.body, *guarded]:
        if isinstance(node, ast.ImportFrom) and node.module is not None and node.module.startswith("incumbent."):
            inner = homes(node.module) if _is_package(node.module) else {}
            found |= {each.asname or each.name: inner.get(each.name, node.module) for each in node.names}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = package
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id: package for target in targets if isinstance(target, ast.Name)}
    return found


def _is_package(module: str) -> bool:
    spec = find_spec(module)
    return spec is not None and spec.submodule_search_locations is not None

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
MARK = re.compile(r"^<!-- api: ([\w.]+) -->$", re.MULTILINE)
PACKAGES = sorted(name for page in REFERENCE.glob("*.md") for name in MARK.findall(page.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class Links(HTMLParser):
    """The files that a browser loads to show a page."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("script", "img", "iframe", "source"):
            self.loaded.append(given.get("src") or "")
        if tag == "link" and given.get("rel") in ("stylesheet", "icon", "preload", "preconnect"):
            self.loaded.append(given.get("href") or "")


@pytest.mark.slow
def test_the_site_builds_strictly_and_no_page_loads_anything_from_the_network(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > len(PACKAGES)
    for page in pages:
        for target in Links(page).loaded:
            assert "//" not in target, f"{page.name} loads {target}"


@pytest.mark.slow
@pytest.mark.parametrize("package", PACKAGES)
def test_the_reference_has_an_entry_for_each_public_name(site, package):
    text = "".join(page.read_text(encoding="utf-8") for page in (site / "reference").glob("*.html"))
    module = import_module(package)
    for name in getattr(module, "__all__", ()):
        if name != "__version__":
            assert re.search(rf'id="incumbent[\w.]*\.{name}"', text), f"{package}.{name}"


def test_every_public_package_has_a_page_in_the_reference():
    public = [path.parent.name for path in (ROOT / "src" / "incumbent").glob("*/__init__.py")]
    inside = {"cli", "engine", "registry", "store", "updating"}  # the command line, and what `incumbent` exports whole
    assert {name.split(".")[1] for name in PACKAGES if "." in name} >= set(public) - inside


def test_every_page_is_in_the_navigation():
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        assert f"{page.relative_to(ROOT / 'docs').as_posix()}\n" in nav, page

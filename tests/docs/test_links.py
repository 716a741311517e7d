"""Everything that a page points to is there."""

import re

import pytest

from tests.docs.pages import PAGES, ROOT, anchors, fences, files, links, spans

MADE_AT_RUN_TIME = (".local/", ".venv/")
_PATH = re.compile(r"[\w.-]+(/[\w.-]+)+/?")
_FILE = re.compile(r"[\w.-]+\.(py|md|cfg|toml|lock)")
_FILE_NAMES = {path.name for path in files()}
_DIAGRAMS = ("flowchart", "sequenceDiagram", "stateDiagram")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@each_page
class TestPages:
    def test_link_to_what_exists(self, page):
        for link in links(page):
            target, _, anchor = link.partition("#")
            path = (page.parent / target).resolve() if target else page
            assert path.exists(), link
            assert not anchor or anchor in anchors(path), link

    def test_name_files_that_exist(self, page):
        named = [span for span in spans(page) if _PATH.fullmatch(span) and not span.startswith(MADE_AT_RUN_TIME)]
        missing = [span for span in named if not (ROOT / span).exists() and not (page.parent / span).exists()]
        assert missing == []

    def test_name_kinds_of_files_that_exist(self, page):
        named = [span for span in spans(page) if _FILE.fullmatch(span)]
        assert [span for span in named if span not in _FILE_NAMES] == []

    def test_draw_pictures_that_show_something(self, page):
        for picture in fences(page, "mermaid"):
            kind, *lines = picture.strip().splitlines()
            assert kind.split()[0] in _DIAGRAMS, kind
            assert len(lines) >= 3, picture


class TestIndex:
    def test_leads_to_every_page_of_the_documentation(self):
        index = ROOT / "docs" / "README.md"
        found = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
        assert {page for page in PAGES if page.is_relative_to(index.parent)} <= found | {index}

    def test_calls_each_decision_by_its_title(self):
        decisions = sorted((ROOT / "docs" / "adr").glob("*.md"))
        index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
        for number, decision in enumerate(decisions, start=1):
            heading = decision.read_text(encoding="utf-8").splitlines()[0]
            title = heading.removeprefix(f"# {number}. ")
            assert f"| [{number}](adr/{decision.name}) | {title} |" in index

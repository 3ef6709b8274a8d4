"""Links in documents lead somewhere: the file exists, and has the heading."""

import markdown
import pytest
from links import broken


@pytest.mark.parametrize("path", markdown.paths(), ids=lambda path: str(path.relative_to(markdown.ROOT)))
def test_links_lead_somewhere(path):
    assert broken(path) == []


def test_faults_are_found(tmp_path):
    (tmp_path / "other.md").write_text("# One: two\n\n## One two\n\n```\n# three\n```\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# Here\n[a](other.md) [b](other.md#one-two)\n[c](other.md#one-two-1) [d](#here)\n"
        "`[no](link.md)` [e](https://example.org/x)\n"
        "![picture\nin two lines](none.png) [f](other.md#three) [g](#there) [h](no/other.md#one-two)\n"
    )
    assert broken(page) == [
        "none.png: there is no such file", "other.md#three: there is no such heading", "#there: there is no such heading",
        "no/other.md#one-two: there is no such file",
    ]  # fmt: skip

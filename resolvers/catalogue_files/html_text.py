"""Descriptions that shops export as HTML, as plain text."""

import html
import re

# A tag ends before the next one begins, so the search is linear. The standard library's parser is not: `<!--` repeated
# over 128 KB takes it 13 s (docs/decisions/catalogue-files.md).
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*>")

_BLOCK = re.compile(
    "address|article|aside|blockquote|br|dd|div|dl|dt|figcaption|figure|footer|h[1-6]|header|hr|li|main|nav|ol|p|pre"
    "|section|table|td|th|tr|ul"
)
_UNSEEN = frozenset(["script", "style", "template", "head"])


def plain_text(markup: str) -> str:
    """The text a reader sees, a line for each block, `- ` before list items; without tags and entities, as it is."""
    if "<" not in markup and "&" not in markup:
        return markup.strip()
    text = html.unescape("".join(_pieces(" ".join(_without_comments(markup).split()))))
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _without_comments(markup: str) -> str:
    before, *comments = markup.split("<!--")
    return before + "".join(comment.partition("-->")[2] for comment in comments)


def _pieces(markup: str) -> list[str]:
    pieces, at, unseen = [], 0, ""
    for tag in _TAG.finditer(markup):
        closing, name = tag[1], tag[2].lower()
        if not unseen:
            pieces += [markup[at : tag.start()], _stands_for(name, closing)]
            unseen = name if name in _UNSEEN and not closing else ""
        elif closing and name == unseen:
            unseen = ""
        at = tag.end()
    return pieces if unseen else [*pieces, markup[at:]]


def _stands_for(name: str, closing: str) -> str:
    if name == "li" and not closing:
        return "\n- "
    return "\n" if _BLOCK.fullmatch(name) else ""

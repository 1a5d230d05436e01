"""Text as HTML. Whatever came from a server, a cloud or a person passes through here before it is on the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from tasks.plain import plain


def text(words: object) -> str:
    """Give any text as HTML: nothing in it is obeyed, and what could not be seen is spelled out."""
    return escape(plain(str(words)), quote=True)


def tag(name: str, *inside: str, **attributes: object) -> str:
    """Give an element. `inside` is HTML already; attributes are text, and `class_` is `class`."""
    given = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items() if value is not None}
    told = "".join(f' {key}="{text(value)}"' for key, value in given.items())
    return f"<{name}{told}>{''.join(inside)}</{name}>"


def table(caption: str, headings: Sequence[str], rows: Iterable[Sequence[object]], *, kind: str = "plain") -> str:
    """Give a table. Headings that end in a # are those of numbers; the first cell of a row is its heading.

    :param kind: "wide" for one whose rows become blocks where there is little room.
    """
    numbers = ["number" if heading.endswith("#") else None for heading in headings]
    top = [
        tag("th", text(name.rstrip("#")), class_=kind_, scope="col")
        for name, kind_ in zip(headings, numbers, strict=True)
    ]
    body = [tag("tr", *_cells(row, numbers)) for row in rows]
    return tag(
        "table",
        tag("caption", text(caption)),
        tag("thead", tag("tr", *top)),
        tag("tbody", *body),
        class_=kind,
    )


def _cells(row: Sequence[object], kinds: Sequence[str | None]) -> Iterable[str]:
    for number, (cell, kind) in enumerate(zip(row, kinds, strict=True)):
        if number:
            yield tag("td", text(cell), class_=kind)
        else:
            yield tag("th", text(cell), class_=kind, scope="row")


def folded(summary: str, *inside: str) -> str:
    """Give something that is shown when it is asked for."""
    return tag("details", tag("summary", text(summary)), *inside)


def section(heading: str, *inside: str) -> str:
    """Give a section with its heading."""
    return tag("section", tag("h2", text(heading)), *inside)

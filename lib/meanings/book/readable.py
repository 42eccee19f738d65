"""A page's MyST as plain Markdown: what Jupyter, which knows no roles and directives, can show."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

GLUED = re.compile(r"\{glue:text\}`([^`]+)`")
CITED = re.compile(r"\{cite:[a-z]+\}`([^`]+)`")
ROLE = re.compile(r"\{[a-z][a-z:_-]*\}`([^`<]*?)\s*(?:<[^`>]*>)?`")
FENCE = re.compile(r"^(?P<indent> *)(?P<fence>:{3,}|`{3,})\{(?P<name>[a-z_-]+)\} *(?P<title>.*)$")
OPTION = re.compile(r"^ *:[a-z-]+:.*$")
LINK = re.compile(r"\[([^\[\]]+)\]\(([a-z_]+)\.(?:md|ipynb)(#[^)]*)?\)")


def plain(text: str, values: Mapping[str, str], bibliography: Path, site: str = "") -> str:
    """Markdown without roles and directives.

    - `values`: what stands in place of `{glue:text}`, by name.
    - `site`: address of the published book, for links to its other pages; without it they become
      plain words.

    Raises KeyError where a value or a citation is unknown.
    """
    text = GLUED.sub(lambda found: values[found[1]], text)
    text = CITED.sub(lambda found: cited(found[1], bibliography), text)
    text = ROLE.sub(r"\1", text)
    text = LINK.sub(rf"[\1]({site}/\2.html\3)" if site else r"\1", text)
    return "\n".join(_directives(text.splitlines()))


def _directives(lines: list[str]) -> list[str]:
    """Directives as quotations under their title; what a reader opens stays folded."""
    done: list[str] = []
    while lines:
        line, *lines = lines
        found = FENCE.match(line)
        end = found and next(
            (n for n, each in enumerate(lines) if each.strip() == found["fence"]), None
        )
        if found is None or end is None:
            done.append(line)
            continue
        indent = found["indent"]
        body = [each.removeprefix(indent) for each in lines[:end] if not OPTION.match(each)]
        title = found["title"] or found["name"].capitalize()
        done += [f"{indent}{each}".rstrip() for each in _box(found["name"], title, body)]
        lines = lines[end + 1 :]
    return done


def _box(name: str, title: str, body: list[str]) -> list[str]:
    inner = _directives(body)
    if name == "dropdown":
        return [f"<details><summary>{title}</summary>", "", *inner, "", "</details>"]
    return [f"> **{title}**", ">", *(f"> {line}" for line in inner)]


def cited(keys: str, bibliography: Path) -> str:
    """Citations in the text: `(Körner et al., 2026; Dumas et al., 2025)`."""
    entries = works(bibliography)
    return f"({'; '.join(entries[key.strip()][0] for key in keys.split(','))})"


def references(texts: str, bibliography: Path) -> str:
    """The works that texts cite, one a line of Markdown; empty where they cite none."""
    groups = CITED.findall(texts)
    keys = sorted({key.strip() for group in groups for key in group.split(",")})
    return "\n".join(f"- {works(bibliography)[key][1]}" for key in keys)


@cache
def works(bibliography: Path) -> dict[str, tuple[str, str]]:
    """By key: how a work is cited in the text, and its line in a list of references."""
    from pybtex.database import parse_file
    from pybtex.richtext import Text

    def plain_text(latex: str) -> str:
        return str(Text.from_latex(latex))

    found = {}
    for key, entry in parse_file(str(bibliography), "bibtex").entries.items():
        names = [
            plain_text(" ".join([*person.prelast_names, *person.last_names]))
            for person in entry.persons.get("author", [])
        ]
        several = len(names) > 2 or "others" in names
        short = f"{names[0]} et al." if several else " and ".join(names)
        year, title = entry.fields.get("year", ""), plain_text(entry.fields.get("title", ""))
        note = plain_text(entry.fields.get("note", ""))
        authors = ", ".join(name for name in names if name != "others")
        line = f"{authors} ({year}). *{title}*." + (f" {note}." if note else "")
        found[key] = (f"{short}, {year}", line)
    return found

"""Where the book is published, if anywhere: what launch buttons need, and no page of its own."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from meanings.core.errors import MeaningsError

SITE, NOTEBOOKS = "MEANINGS_SITE", "MEANINGS_NOTEBOOKS"


@dataclass(frozen=True)
class Site:
    """- `url`: address of the published pages, without a slash at its end; empty for a local build.
    - `notebooks`: where a public GitHub repository has the notebooks, `OWNER/REPO/blob/BRANCH`, or
      with a folder behind it; empty where it has none.
    """

    url: str = ""
    notebooks: str = ""

    def colab(self, name: str) -> str:
        """The address that opens a notebook in Colab; empty where it could not install anything."""
        if not (self.url and self.notebooks):
            return ""
        return f"https://colab.research.google.com/github/{self.notebooks}/{name}.ipynb"


def site() -> Site:
    """The site that MEANINGS_SITE and MEANINGS_NOTEBOOKS name. Raises MeaningsError where one of
    them is no address of that form.
    """
    url, notebooks = os.environ.get(SITE, "").rstrip("/"), os.environ.get(NOTEBOOKS, "").strip("/")
    if url and not re.fullmatch(r"https://[A-Za-z0-9.-]+(/[A-Za-z0-9._~-]+)*", url):
        raise MeaningsError(f"{SITE}={url!r}: expected the pages' address, https://HOST/PATH")
    if notebooks and not re.fullmatch(r"[\w.-]+/[\w.-]+/blob(/[\w.-]+)+", notebooks):
        raise MeaningsError(f"{NOTEBOOKS}={notebooks!r}: expected OWNER/REPO/blob/BRANCH")
    return Site(url, notebooks)

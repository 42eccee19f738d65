"""The shipped recipe with fields changed."""

import yaml

from meanings.core.paths import data_folder
from meanings.miniature.recipe import Mix

RECIPE = data_folder() / "miniature"


def recipe_with(**changes) -> dict:
    """The shipped recipe as plain data, with fields named by `outer__inner` changed or added."""
    raw = yaml.safe_load((RECIPE / "mix.yaml").read_text(encoding="utf-8"))
    for path, value in changes.items():
        *inner, last = path.split("__")
        place = raw
        for name in inner:
            place = place[name]
        place[last] = value
    return raw


def changed(**changes) -> Mix:
    return Mix.model_validate(recipe_with(**changes))

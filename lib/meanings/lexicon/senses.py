"""Which WordNet synset a concept of the lexicon is.

Of the noun synsets of its first English word, most frequent first, it is the first that has a
synset of the concept's category above it (`ANCHORS`); where `senses.csv` names a synset, that one
(empty: none). A concept without such a synset has no relations.
"""

from pathlib import Path

from meanings.core.errors import MeaningsError
from meanings.core.tables import read_table
from meanings.lexicon.lexicon import Lexicon
from meanings.lexicon.wordnet import Database

# Lemmas of which one has to be above a concept of the category.
ANCHORS: dict[str, tuple[str, ...]] = {
    "animal": ("animal",),
    "body": (
        "body_part",
        "body_covering",
        "body_substance",
        "liquid_body_substance",
        "body",
        "bodily_structure",
    ),
    "building": (
        "structure",
        "building",
        "area",
        "facility",
        "establishment",
        "geographical_area",
        "artifact",
    ),
    "clothing": ("clothing", "covering", "footwear", "adornment", "accessory", "artifact"),
    "device": ("device", "instrumentality", "equipment", "artifact"),
    "event": ("event", "act", "state", "time_period", "phenomenon", "abstraction"),
    "fantasy": (
        "imaginary_being",
        "supernatural_being",
        "spiritual_being",
        "mythical_being",
        "monster",
        "person",
    ),
    "food": ("food", "foodstuff", "beverage", "edible_fruit", "produce", "plant_part"),
    "music": ("musical_instrument", "music", "device", "musical_organization", "instrumentality"),
    "nature": (
        "natural_object",
        "geological_formation",
        "natural_phenomenon",
        "body_of_water",
        "physical_phenomenon",
        "matter",
        "location",
    ),
    "object": ("artifact", "object", "physical_object", "substance", "matter"),
    "person": ("person", "people", "kin", "group"),
    "plant": ("plant", "plant_part", "plant_organ"),
    "tool": ("tool", "implement", "instrumentality", "artifact"),
    "vehicle": ("vehicle", "conveyance", "craft"),
    "writing": (
        "writing",
        "written_communication",
        "communication",
        "document",
        "artifact",
        "publication",
    ),
}


def choose_synsets(
    lexicon: Lexicon, database: Database, overrides: dict[str, str]
) -> dict[str, str]:
    """The offset of each concept's synset, by the rule above; concepts without are left out.

    - `overrides`: `read_senses`.

    Raises MeaningsError where WordNet lacks a synset of `overrides`.
    """
    chosen = {}
    for concept in lexicon.concepts:
        if concept in overrides:
            if overrides[concept] and overrides[concept] not in database.lemmas:
                raise MeaningsError(
                    f"senses.csv: {concept!r} is given synset {overrides[concept]!r}, which "
                    "WordNet 3.1 lacks; correct the row"
                )
            if overrides[concept]:
                chosen[concept] = overrides[concept]
            continue
        anchors = set(ANCHORS.get(lexicon.categories.get(concept, ""), ()))
        for offset in database.synsets_of(lexicon.word(concept, "en")):
            above = {
                lemma.lower()
                for o in (offset, *(o for o, _ in database.above(offset)))
                for lemma in database.lemmas[o]
            }
            if anchors & above:
                chosen[concept] = offset
                break
    return chosen


def read_senses(path: Path) -> dict[str, str]:
    """The synset of each concept that `senses.csv` names, empty for none.

    Raises MeaningsError on other columns than concept, synset, comment.
    """
    table = read_table(path)
    if table.header != ("concept", "synset", "comment"):
        raise MeaningsError(
            f"{path}, line 1: columns {', '.join(table.header)}; expected concept, synset, comment"
        )
    return {row["concept"]: row["synset"] for _, row in table.rows}

"""What the chapters on trained worlds draw and tabulate."""

import pandas as pd
import pytest

from meanings.book import world_pages
from meanings.book.figures import designs
from meanings.book.figures import worlds as figures
from meanings.book.tables import worlds as tables
from meanings.statistics import worlds
from meanings.validity.claims.world_estimates import groups


def texts(picture) -> list[list[str]]:
    """The texts of each panel of a picture, in the order of drawing."""
    return [[text.get_text() for text in axis.texts] for axis in picture.figure.axes]


def letters(panel: list[str]) -> str:
    """The meanings of a panel's words, row by row: `AE AE`."""
    found = [text for text in panel if len(text) == 1]
    return " ".join("".join(found[place : place + 2]) for place in range(0, len(found), 2))


def test_a_design_shows_what_the_recipe_says():
    named = ["clone", "true-50", "false-50", "full", "other-meanings", "inverted", "clone-20"]
    picture = designs.designs(world_pages.recipes(named))
    panels = dict(zip(named, texts(picture), strict=False))
    assert letters(panels["clone"]) == letters(panels["true-50"]) == "AE AE AE AE"
    assert letters(panels["false-50"]) == "AE BE CE DE"
    assert letters(panels["other-meanings"]) == "AE BF CG DH"
    assert panels["inverted"].count("3 2 1") == 3 and panels["inverted"].count("1 2 3") == 1
    assert "parallel" in panels["clone-20"] and "parallel" not in panels["clone"]
    colours = [
        [patch.get_facecolor() for patch in axis.patches][:8] for axis in picture.figure.axes
    ]
    of = dict(zip(named, colours, strict=False))
    assert len(set(of["clone"])) == 4 and len(set(of["full"])) == 1
    assert len(set(of["true-50"][0::2])) == 1 and len(set(of["true-50"][1::2])) == 4
    assert of["true-50"] == of["false-50"]
    assert "false-50: 50% of the words written alike with other meanings" in picture.alt


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("prealign-wrong-20", ["1200 steps, 20% parallel", "aligned wrongly"]),
        ("align-late-20", ["1200 steps, 20% parallel", "aligned"]),
        ("switch-labels-20", ["1200 steps, 20% parallel", "labels switched, too"]),
        ("clone-twice", ["2400 steps, 0% parallel"]),
    ],
)
def test_a_design_says_how_a_world_is_trained(name, said):
    (panel,) = texts(designs.designs(world_pages.recipes([name])))[:1]
    assert [text for text in panel if "steps" in text or text in said] == said


LEVELS = pd.DataFrame(
    {"world": ["clone", "full"], "mean": [0.2, 0.9], "low": [0.1, 0.8], "high": [0.3, 1.0]}
)


def test_levels_go_through_the_base_and_chance():
    picture = figures.levels({"facts (accuracy)": LEVELS}, "clone", {"facts (accuracy)": 0.125})
    (axis,) = picture.figure.axes
    upright = [line.get_xdata()[0] for line in axis.lines if len(set(line.get_xdata())) == 1
               and len(line.get_xdata()) == 2]  # fmt: skip
    assert {0.2, 0.125} <= set(upright)
    assert "full 0.90 [0.80, 1.00]" in picture.alt


def test_points_are_numbered_as_the_table_is():
    points = pd.DataFrame(
        {"number": [1, 2, 3], "world": ["a", "b", "c"], "group": ["with", "without", "with"],
         "embeddings": [0.1, 0.1, 0.9], "states": [0.2, 0.3, 0.4], "transfer": [0.5, 0.5, 0.6]}
    )  # fmt: skip
    picture = figures.against_transfer(
        points, {"embeddings": "P@1"}, ylabel="accuracy", chance=0.125
    )
    (axis,) = picture.figure.axes
    assert [text.get_text() for text in axis.texts] == ["1", "2", "3"]
    places = [text.get_position() for text in axis.texts]
    assert len(set(places)) == 3  # the first two marks lie on one another
    assert tables.numbered(points).loc[2].tolist() == ["b", "without", "0.10", "0.30", "0.50"]


def test_every_world_of_clones_is_in_one_group():
    found = groups()
    assert not set(found.without) & set(found.with_) and "full" not in found.all
    assert len(found.without) >= 12 and {"clone", "prealign-0"} <= set(found.without)
    assert {"clone-20", "true-50-20", "prealign-switch-20"} <= set(found.with_)


@pytest.fixture(scope="module")
def read():
    return world_pages.tables()


def test_gains_are_the_differences_of_the_levels(read):
    scores = world_pages.scores(read)
    seeds = read["clones-tasks"].groupby("world", observed=True)["training_seed"].nunique()
    same = [n for n in ("true-50", "false-50", "full") if seeds[n] == seeds["clone"]]
    for heading, rows in scores.items():
        levels = worlds.levels(rows, ["clone", *same]).set_index("world")["mean"]
        gained = worlds.gains(rows, same, "clone").set_index("world")["mean"]
        for name in same:
            assert gained[name] == pytest.approx(levels[name] - levels["clone"], abs=1e-6), heading


def test_words_by_their_tokens_are_all_untouched_words(read):
    table = tables.by_pieces(read["clones-tasks"], ["clone-20", "prealign-20"])
    assert table["words"].sum() == 96 and list(table.index) == ["none", "some", "all"]


def test_a_caption_counts_concepts_pairs_and_runs(read):
    scores = world_pages.scores(read)
    said = world_pages.counted({"facts": scores[world_pages.FACTS]}, ["clone"])
    assert said.startswith("96 concepts (facts); 3 copies; ")
    assert said.endswith("training runs per world")


def test_unlike_words_have_no_cosine_of_friends(read):
    table = tables.cosines(read["clones-cosines"], ["clone", "true-50", "false-50"], "raw")
    assert table.loc["friend", "clone"] == "" and table.loc["friend", "true-50"] == "1.00"
    assert table.loc["false friend", "false-50"] == "1.00"
    assert table.loc["unrelated"].astype(float).max() < 0.9

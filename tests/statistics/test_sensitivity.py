"""The table of settings, what is said of it, and its figures."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from meanings.book.figures import sensitivity as sensitivity_figures
from meanings.book.figures import templates as template_figures
from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.measures.results import published
from meanings.miniature.documents import FRAMES
from meanings.prompts.prompt import TEMPLATES
from meanings.statistics import sensitivity as sensitivity_statistics
from meanings.statistics.summaries import SETTING, added, concept_means


@pytest.fixture(scope="module")
def table():
    return published("sensitivity")


def test_a_concepts_mean_is_over_pairs_and_settings_stay_apart():
    rows = pd.DataFrame(
        {
            "pair": ["fr-es", "en-fi", "fr-es", "fr-es"],
            "source_pairs": [0, 0, 2, 0],
            "source_concept": ["owl", "owl", "owl", "fox"],
        }
        | {
            "p_source": [0.2, 0.4, 0.9, 0.5],
            "p_target": [0.1, 0.1, 0.0, 0.3],
            "condition": "seen",
            "first_layer": 0,
        }
        | {name: 1 for name in SETTING if name != "source_pairs"}
    )
    found = concept_means(rows).set_index(["source_pairs", "source_concept"])
    assert found["p_source"].to_dict() == pytest.approx(
        {(0, "owl"): 0.3, (0, "fox"): 0.5, (2, "owl"): 0.9}
    )
    assert found["pairs"].to_dict() == {
        (0, "owl"): "en-fi fr-es",
        (0, "fox"): "en-fi fr-es",
        (2, "owl"): "fr-es",
    }


def test_rows_join_a_published_table_and_replace_their_own_setting_only():
    """A table older than a field of the cell stays as it is, and so do its rows."""
    table = pd.read_parquet(data_folder() / "published" / "sensitivity.parquet")
    newer = {"prompts_sha256": "", "tokenizer": "file"}
    again = table[table["template"] == "slash"].assign(p_source=0.5, **newer)
    others = table[table["template"] != "slash"].reset_index(drop=True)
    found = added(table, again)
    assert found.iloc[: len(others)].equals(others) and list(found) == list(table)
    assert len(found) == len(table) and (found.iloc[len(others) :]["p_source"] == 0.5).all()
    joined = added(others, again)
    assert joined.equals(found)
    with pytest.raises(MeaningsError, match="columns tokenizer: publish all"):
        added(table, again.assign(tokenizer="library"))
    with pytest.raises(MeaningsError, match="columns p_source: publish all"):
        added(table, again.drop(columns="p_source"))


def test_templates_of_the_training_text_are_those_it_has():
    """Every template is in one group, and only the first group's separators are written there."""
    groups = (
        sensitivity_statistics.TRAINED_TEMPLATES,
        sensitivity_statistics.SEPARATORS,
        (sensitivity_statistics.NO_QUOTES, *sensitivity_statistics.OTHER_LINES),
    )
    names = [name for group in groups for name in group]
    assert sorted(names) == sorted(TEMPLATES) == sorted(sensitivity_statistics.VALUES["template"])
    written = ['{A}: "{a}" - {B}: "{b}"', *FRAMES]
    for name in names:
        form = TEMPLATES[name]
        line = form.before + "{a}" + form.between + "{b}" + form.after.rstrip()
        line = line.replace("{input}", "{A}").replace("{output}", "{B}")
        assert (line in written) == (name in groups[0]), line


def test_what_a_table_of_settings_counts(table):
    rows = table[table["model"] == "miniature"]
    n, pairs = rows["source_concept"].nunique(), rows["pairs"].iloc[0].split()
    said = sensitivity_statistics.counted(table)
    assert said == f"{n} concepts, {len(pairs)} language pairs, 1 training run"


def test_one_thing_changes_at_a_time(table):
    for factor in sensitivity_statistics.VALUES:
        rows = sensitivity_statistics.around(table, factor)
        assert rows[factor].nunique() > 1
        assert all(
            rows[name].nunique() == 1 for name in sensitivity_statistics.BASE if name != factor
        )
    with pytest.raises(MeaningsError, match="allowed are shots"):
        sensitivity_statistics.around(table, "shot")


def test_averaging_says_where_a_gain_comes_from():
    """Two layers; one prompt gives 0.2, few-shot examples add 0.1 and languages 0.3 on top; the
    other layer is all zeros.
    """
    values = {
        ("seen", 1): 0.2,
        ("seen", 2): 0.6,
        ("one_pair", 2): 0.3,
        ("tgt", 0): 0.5,
        ("tgt_mean", 2): 0.5,
    }
    rows = [
        {
            "model": "m",
            "condition": name,
            "source_pairs": k,
            "first_layer": layer,
            "source_concept": f"c{i}",
            "p_source": value * layer + i / 1000,
        }
        for (name, k), value in values.items()
        for layer in (0, 1)
        for i in range(8)
    ]
    made = pd.DataFrame(rows).assign(
        **{
            name: value
            for name, value in sensitivity_statistics.BASE.items()
            if name != "source_pairs"
        }
    )
    found = sensitivity_statistics.averaging(made, "m").set_index("what")["mean"].to_dict()
    assert found == pytest.approx(
        {
            "over languages": 0.4,
            "over examples": 0.1,
            "languages, same number": 0.3,
            "over examples, same pair": 0.0,
        }
    )
    assert sensitivity_statistics.gain_is(made, "m") == "both"
    flat = made.assign(
        p_source=made["p_source"].where(
            made["condition"] != "one_pair", 0.2 * made["first_layer"] + 0.0
        )
    )
    assert sensitivity_statistics.gain_is(flat, "m") == "languages"


def test_every_factor_has_its_figure(table):
    drawn = []
    for factor in ("shots", "template", "source_pairs"):
        found = sensitivity_statistics.settings(
            table, factor, ["seen", "tgt", "null_concept", "src_unpatched"]
        )
        drawn.append(
            sensitivity_figures.levels(found, factor, sensitivity_statistics.VALUES[factor], factor)
        )
        if factor == "template":
            labels = sensitivity_statistics.VALUES[factor]
            groups = {"read": ("quoted", "arrow"), "not read": ("brackets",)}
            drawn.append(template_figures.lines(found, labels, groups))
            shown = [text.get_text() for text in drawn[-1].figure.axes[0].get_yticklabels()]
            assert shown == [labels[name] for name in ("quoted", "arrow", "brackets")]
    for factor in ("layers", "score"):
        found = sensitivity_statistics.by_layer(
            table, factor, ["seen", "null_concept", "src_unpatched"]
        )
        drawn.append(
            sensitivity_figures.two_curves(found, factor, sensitivity_statistics.VALUES[factor])
        )
    drawn.append(
        sensitivity_figures.token_against_word(sensitivity_statistics.word_and_token(table), 0.5)
    )
    drawn.append(
        sensitivity_figures.averaging([("Miniature", sensitivity_statistics.averaging(table))])
    )
    assert all(picture.alt and "nan" not in picture.alt for picture in drawn)
    for picture in drawn:
        plt.close(picture.figure)

import dataclasses
import io
import itertools

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from meanings.book import chapters, pages
from meanings.book.figures import answers as answer_figures
from meanings.book.figures import costs as cost_figures
from meanings.book.figures import curves as curve_figures
from meanings.book.figures import emergence as emergence_figures
from meanings.book.figures import gains as gain_figures
from meanings.book.figures import languages as language_figures
from meanings.book.figures import palette, style
from meanings.book.figures import patch as patch_figures
from meanings.book.figures import reading as reading_figures
from meanings.book.figures.style import Picture
from meanings.core.formatting import amount
from meanings.labels import answers
from meanings.labels.labeller import label_answers
from meanings.lexicon.languages import LANGUAGES
from meanings.lexicon.lexicon import load_lexicon
from meanings.lexicon.relations import Relations
from meanings.models.checkpoints import trajectory
from meanings.patching import conditions
from meanings.patching.flops import Lengths
from meanings.statistics import (
    bootstrap,
    cognates,
    layer_choice,
    onset_tables,
    selection,
    summaries,
)
from meanings.statistics import languages as language_statistics
from meanings.study import budget_report
from stand_ins import book_data, long_run_stages


@pytest.fixture(scope="module")
def page(results):
    """Parameters, their cells and the cells at the chosen layers."""
    parameters = chapters.validated("emergence", {"pair": book_data.PAIRS, "checkpoints": 4})
    cells = pages.measured(parameters, results)
    return parameters, cells, layer_choice.at_chosen_layer(cells)


def matched() -> pd.DataFrame:
    """Matched ratios of three languages, one of them unseen."""
    scores = {"patched": [0.7, 0.2, 0.05], "direct": [0.8, 0.4, 0.06]}
    ends = {
        f"{name}_{end}": np.array(values) + shift
        for name, values in scores.items()
        for end, shift in (("low", -0.04), ("high", 0.05))
    }
    named = {"language": ["fr", "fi", "cy"], "null": [0.01, np.nan, 0.02]}
    return pd.DataFrame(named | scores | ends | {"n_language_pairs": [3, 4, 4]})


@pytest.fixture(scope="module")
def pictures(page) -> dict[str, Picture]:
    """One of each kind."""
    parameters, cells, chosen = page
    curves = summaries.curves(chosen, ["seen", "tgt", "null_concept", "src_unpatched"])
    last = selection.last_checkpoint(cells)
    at_end = selection.split_pairs(selection.last_checkpoint(chosen))
    seen = at_end[at_end["condition"] == "seen"]
    facts = (
        language_statistics.properties(
            trajectory(parameters.model, parameters.training_seed),
            load_lexicon(parameters.lexicon),
            cells,
        )
        .merge(language_statistics.alignment(seen), on="language")
        .merge(language_statistics.ceilings(at_end), on="language")
    )
    labelled = label_answers(answers.answered(at_end, "seen"), load_lexicon(), Relations())
    return {
        "emergence": curve_figures.emergence(curves),
        "long_run": curve_figures.finished_and_trunk(long_run_stages.stages()),
        "heatmap": curve_figures.layers_by_checkpoint(
            summaries.curves(cells, ["seen"], ["first_layer", "tokens"])
        ),
        "onsets": emergence_figures.onsets(
            onset_tables.onset_table(chosen, ["seen", "tgt", "src_unpatched"]),
            sorted(cells["tokens"].unique()),
        ),
        "words_in_common": emergence_figures.words_in_common(
            cognates.by_output(seen.assign(apart=seen["source_concept"].cat.codes % 2 == 0))
        ),
        "ways_of_writing": emergence_figures.layer_sweeps(
            bootstrap.interval(
                last[last["condition"].isin(["seen", "null_concept"]) & (last["first_layer"] >= 0)],
                "p_source",
                ["condition", "first_layer"],
                n=5,
            ).assign(way=lambda table: table["condition"].astype(str)),
            {name: palette.look(name) for name in ("seen", "null_concept")},
        ),
        "first_layers": curve_figures.first_layers(
            summaries.curves(last, ["seen", "null_concept"], ["condition", "first_layer"]),
            summaries.curves(last, conditions.UNPATCHED, ["condition"]),
        ),
        "matrix": language_figures.pair_matrix(
            bootstrap.interval(seen, "p_source", ["input", "output"], n=5), list(facts["language"])
        ),
        "against": language_figures.against(
            facts, {"share": "share of training text", "family": "family", "ceiling": "ceiling"}
        ),
        "dumbbells": reading_figures.dumbbells(matched(), apart=["cy"], xlabel="P(source concept)"),
        "differences": reading_figures.differences(
            {
                "one model": pd.DataFrame(
                    {
                        "label": ["one language", "English"],
                        "code": ["", "en"],
                        "mean": [0.1, -0.2],
                        "low": [0.0, -0.3],
                        "high": [0.2, -0.1],
                    }
                )
            },
            xlabel="P(source concept): mean minus ...",
        ),
        "labels": answer_figures.label_dots(
            answers.errors(labelled),
            dict.fromkeys([*answers.GROUPS.values(), answers.PATCHED_GROUP], "#0072B2"),
            answers.right_counts(labelled),
        ),
        "quality": answer_figures.quality(
            answers.quality_means(answers.quality(last, load_lexicon(), "seen"))
        ),
        "patch": patch_figures.patch_drawing('a: "b', 'a: "c" - d: "', "b", "c", 6, 2, "e$^_\\"),
        "runs": patch_figures.runs_drawing(20, 14, 8, 7),
        "costs": cost_figures.hours(
            budget_report.hours(budget_report.NIGHT, Lengths(97.0, 7.0, 91.0, 6.0))
        ),
    }


KINDS = (
    "emergence",
    "long_run",
    "heatmap",
    "onsets",
    "words_in_common",
    "ways_of_writing",
    "first_layers",
    "matrix",
    "against",
    "dumbbells",
    "differences",
    "labels",
    "quality",
    "patch",
    "runs",
    "costs",
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_has_no_ground_is_as_wide_as_a_phone_shows_and_the_same_twice(pictures, kind):
    first, second = pictures[kind].png(), pictures[kind].png()
    assert first == second
    image = Image.open(io.BytesIO(first))
    assert image.width == round(style.WIDTH * style.DPI)
    alpha = np.asarray(image)[..., 3]
    assert not alpha[0].any() and not alpha[-1].any() and alpha.max() == 255


@pytest.mark.parametrize("kind", KINDS)
def test_letters_stay_readable_on_a_phone(pictures, kind):
    # 350 CSS pixels show style.WIDTH inches: a point is 350 / WIDTH / 72 pixels there.
    pixels_a_point = 350 / style.WIDTH / 72
    texts = [
        text
        for axis in pictures[kind].figure.axes
        for text in axis.findobj(matplotlib.text.Text)
        if text.get_text().strip()
    ]
    assert texts and min(text.get_fontsize() for text in texts) * pixels_a_point >= 9


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "patch"])
def test_every_axis_is_named(pictures, kind):
    for axis in pictures[kind].figure.axes:
        if axis.get_visible():
            labels = [axis.get_xlabel(), axis.get_ylabel()] + [
                text.get_text() for text in axis.get_yticklabels()
            ]
            assert any(labels)
            if axis.get_label() != "<colorbar>":
                assert axis.get_xlabel()


@pytest.mark.parametrize("kind", KINDS)
def test_alt_text_says_what_is_drawn_with_its_numbers(pictures, kind):
    alt = pictures[kind].alt
    assert 60 < len(alt) < 1500 and "nan" not in alt.lower()
    assert any(character.isdigit() for character in alt)


def test_the_curve_drawn_is_the_table(page):
    _, _, chosen = page
    curves = summaries.curves(chosen, ["seen"])
    axis = curve_figures.emergence(curves).figure.axes[0]
    np.testing.assert_allclose(axis.lines[0].get_ydata(), curves["mean"])
    np.testing.assert_allclose(axis.lines[0].get_xdata(), curves["tokens"])


def test_finished_models_and_the_trunk_are_told_apart():
    """Filled marks are joined to a curve, and each open mark stands at its own mean."""
    stages = long_run_stages.stages()
    lines = curve_figures.finished_and_trunk(stages).figure.axes[0].lines
    drawn = {line.get_markerfacecolor() == "none": line for line in lines[:2]}
    seen = stages[stages["condition"] == "seen"].sort_values("tokens")
    for is_open, model in ((False, "long-run-finished"), (True, "long-run-trunk")):
        own = seen[seen["model"] == model]
        np.testing.assert_allclose(drawn[is_open].get_ydata(), own["mean"])
        np.testing.assert_allclose(drawn[is_open].get_xdata(), own["tokens"])


def test_step_0_has_a_place_on_the_logarithmic_axis(pictures):
    axis = pictures["emergence"].figure.axes[0]
    assert axis.get_xticks()[0] == 0 and axis.get_xlim()[0] <= 0 and axis.get_xscale() == "symlog"


def test_heatmap_cells_are_the_means(page, pictures):
    _, cells, _ = page
    table = summaries.curves(cells, ["seen"], ["first_layer", "tokens"])
    drawn = np.asarray(pictures["heatmap"].figure.axes[0].collections[0].get_array()).reshape(
        table["first_layer"].nunique(), -1
    )
    wanted = table.pivot_table(index="first_layer", columns="tokens", values="mean").sort_index(
        ascending=False
    )
    np.testing.assert_allclose(drawn, wanted)


def test_errors_and_right_answers_add_up_to_the_whole(page, pictures):
    _, _, chosen = page
    labelled = label_answers(
        answers.answered(selection.last_checkpoint(chosen), "seen"), load_lexicon(), Relations()
    )
    wrong = answers.errors(labelled).groupby("group")["n"].sum()
    for group, said in answers.right_counts(labelled).items():
        right, _, whole = said.removeprefix(f"{group}: ").removesuffix(" right").partition(" of ")
        assert int(right) + wrong.get(group, 0) == int(whole) > 0
    drawn = [text.get_text().strip() for text in pictures["labels"].figure.axes[0].texts]
    assert sum(map(int, drawn)) == wrong.sum()


def test_a_condition_without_onset_is_written_not_drawn():
    table = pd.DataFrame(
        {
            "condition": ["seen", "self"],
            "onset": [2e6, np.inf],
            "low": [1e6, 1e6],
            "high": [np.inf, np.inf],
        }
    ).assign(height="own", fraction=0.5)
    picture = emergence_figures.onsets(table, [0, 1_000_000, 2_000_000, 4_000_000])
    axis = picture.figure.axes[0]
    assert [text.get_text().strip() for text in axis.texts] == ["½", "no onset"]
    assert len(picture.figure.axes) == 1 and "self beyond" in picture.alt
    (interval,) = [line for line in axis.lines if len(line.get_xdata()) == 2]
    assert list(interval.get_xdata()) == [1e6, 4e6]  # to the end of what was measured


@given(st.lists(st.floats(0, 1), min_size=1, max_size=15))
def test_labels_keep_their_order_stay_apart_and_on_the_axis(heights):
    places = style.pushed_apart(heights, 0.0, 1.0, 0.062)
    placed = sorted(places)
    assert all(b - a >= 0.062 - 1e-9 for a, b in itertools.pairwise(placed))
    assert -1e-9 <= placed[0] and placed[-1] <= 1 + 1e-9
    assert all(
        places[i] <= places[j]
        for i, a in enumerate(heights)
        for j, b in enumerate(heights)
        if a < b
    )


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (819_200, "819k"), (52_428_800, "52.4M"), (4e12, "4T"), (3e9, "3B")],
)
def test_amounts_in_short(number, text):
    assert amount(number) == text


def test_ink_contrasts_with_every_colour_of_a_bar():
    for colour in gain_figures.KIND_COLOURS.values():
        levels = [
            sum(
                w * (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4)
                for w, c in zip((0.2126, 0.7152, 0.0722), matplotlib.colors.to_rgb(x), strict=True)
            )
            for x in (colour, answer_figures.ink(colour))
        ]
        assert (max(levels) + 0.05) / (min(levels) + 0.05) >= 3


def test_every_condition_and_control_has_one_look_of_its_own():
    looks = palette.CONDITIONS
    assert set(looks) == {*conditions.CONDITIONS, *conditions.CONTROLS}
    looks = looks | palette.CONTROLS
    assert len({entry.label for entry in looks.values()}) == len(looks)
    marked = [entry.mark for entry in looks.values() if entry.mark]
    assert len(set(marked)) == len(marked)
    for name in (*conditions.NULLS, *conditions.UNPATCHED):
        assert looks[name].dash is not None
    assert conditions.PATCHED == ("seen", "en_en", "self", "tgt")
    assert conditions.NULLS == ("null_concept", "null_mean")
    assert conditions.UNPATCHED == ("src_unpatched", "tgt_unpatched")


def test_every_language_has_one_look_of_its_own_wherever_it_is_drawn():
    looks = palette.LANGUAGE_LOOKS
    assert set(looks) == set(LANGUAGES)
    for field in ("label", "colour", "mark"):
        assert len({getattr(entry, field) for entry in looks.values()}) == len(looks), field
    for code in LANGUAGES:
        own, read, null = (palette.look(f"{name}{code}") for name in ("", "from_", "null_from_"))
        assert own == looks[code]
        assert own.colour == read.colour == null.colour
        assert len({own.label, read.label, null.label}) == 3
        assert read.dash is None and null.dash is not None
    assert palette.look("anything else", 2).colour == palette.SERIES[2]


def test_a_dumbbell_says_both_scores_and_the_null_and_puts_the_unseen_last():
    rows = matched().iloc[::-1]
    said = reading_figures.dumbbells(rows, apart=["cy"], xlabel="P(x)").alt
    assert said.index("Finnish") < said.index("French") < said.index("Welsh")
    assert "French asked directly 0.80, patched 0.70 [0.66, 0.75], null 0.010" in said
    assert "Finnish asked directly 0.40, patched 0.20 [0.16, 0.25];" in said
    assert reading_figures.named("fr", 3) == "French (3)"


def test_names_of_points_that_lie_together_stand_apart():
    places = language_figures._places_of_names([(0.0, 0.0), (0.0, 0.0), (0.01, 0.0), (1.0, 1.0)])
    assert len(set(places[:3])) == 3


def test_more_language_families_than_the_palette_lists_can_be_drawn(monkeypatch):
    codes = list(LANGUAGES)
    families = {code: f"family {place}" for place, code in enumerate(codes[:9])}
    for code, family in families.items():
        monkeypatch.setitem(LANGUAGES, code, dataclasses.replace(LANGUAGES[code], family=family))
    table = pd.DataFrame({"language": codes, "share": 0.1, "mean": 0.5, "low": 0.4, "high": 0.6})
    assert "Panels of" in language_figures.against(table, {"share": "share of text"}).alt
    looks = [palette.family_look(code) for code in codes]
    assert len({(entry.mark, entry.colour) for entry in looks}) == len(
        {entry.label for entry in looks}
    )


def test_letters_that_the_font_lacks_are_replaced():
    assert style.drawable("кошка", "cat") == "кошка"
    assert style.drawable("貓", "cat") == "cat"


def test_nulls_take_the_layer_of_seen_and_no_row_chooses_its_own(page):
    _, cells, chosen = page
    layer = (
        chosen[chosen["condition"] == "seen"]
        .drop_duplicates("source_concept")
        .set_index("source_concept")["first_layer"]
    )
    null = chosen[chosen["condition"] == "null_concept"]
    assert (null["first_layer"] == null["source_concept"].astype(object).map(layer)).all()
    assert len(chosen[chosen["condition"] == "seen"]) == len(
        cells[(cells["condition"] == "seen") & (cells["first_layer"] == 0)]
    )


def test_a_layer_that_the_model_lacks_is_refused(page):
    with pytest.raises(ValueError, match="first_layer=77: the model's layers run from 0 to 5"):
        layer_choice.at_chosen_layer(page[1], 77)

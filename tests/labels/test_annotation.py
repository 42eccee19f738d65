import json
import sys
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from meanings.cli import main
from meanings.core.errors import MeaningsError
from meanings.labels.annotation.agreement import agreement, alpha, by_class, consensus
from meanings.labels.annotation.gold import read_key, read_passes, read_sample, take_in
from meanings.labels.annotation.sample import allocate, draw, questions, relabelled
from meanings.labels.annotation.sheets import FILLED, SHOWN, configuration, sheet, write_sample
from meanings.labels.labeller import LABELS
from meanings.lexicon.lexicon import Lexicon
from meanings.lexicon.relations import Relations

CONCEPTS = ("cat", "dog", "house", "tree", "river")
CODES = ("en", "fr", "es")
LEXICON = Lexicon(
    "small", CODES, {c: {code: (f"{c[:3]}{code}word",) for code in CODES} for c in CONCEPTS}, {}
)


def rows(n: int = 60) -> pd.DataFrame:
    """Answers of two models, three conditions and two pairs: right, the target's, a copy, a solved
    line's, nothing known.
    """
    made = []
    for i in range(n):
        source, target, shot = (CONCEPTS[(i + k) % 5] for k in range(3))
        pair, condition = ("en-fr", "fr-es")[i % 2], ("seen", "tgt", "tgt_unpatched")[i % 3]
        a, b = pair.split("-")
        says = [
            LEXICON.word(source, b),
            LEXICON.word(target, b),
            LEXICON.word(target, a),
            LEXICON.word(shot, b),
            f"zzqx{i}",
        ][(i // 6) % 5]
        made.append(
            (
                f"k{i % 7}",
                3,
                i,
                f"m{i % 2}",
                0,
                10,
                pair,
                condition,
                LEXICON.word(target, a),
                source,
                target,
                shot,
                shot,
                says,
            )
        )
    columns = (
        "key first_layer prompt model training_seed step pair condition query source_concept "
        "target_concept source_shots target_shots answer"
    )
    return pd.DataFrame(made, columns=columns.split())


@pytest.fixture
def asked():
    return questions(rows(), LEXICON, Relations())


def test_questions_are_distinct_and_stand_for_all_rows(asked):
    again = questions(
        pd.concat([rows(), rows().assign(first_layer=4)], ignore_index=True), LEXICON, Relations()
    )
    assert (len(again), again["rows"].sum(), asked["rows"].sum()) == (len(asked), 120, 60)
    assert asked["other"].eq("").eq(asked["condition"] == "tgt_unpatched").all()
    assert {"correct", "target_concept", "few_shot", "copy", "not_a_word"} <= set(asked["label"])


def test_a_class_gets_what_another_lacks():
    assert allocate([100, 2, 100], 20) == [9, 2, 9]
    assert allocate([1, 1], 5) == [1, 1]
    assert sum(allocate([7, 3, 50, 0], 31)) == 31


def test_weights_estimate_the_rows_of_the_tables(asked):
    drawn = draw(asked, 24, seed=3)
    assert len(drawn) == 24 and drawn["id"].is_unique and drawn["id"].is_monotonic_increasing
    expected = asked.groupby(["model", "label"], observed=True).size()
    # Here each question stands for one row but a few; the weights of a stratum then add up to its
    # questions.
    one = draw(asked.assign(rows=1), 24, seed=3)
    assert one.groupby(["model", "label"], observed=True)[
        "weight"
    ].sum().to_dict() == pytest.approx(expected.to_dict())
    assert (draw(asked.assign(rows=3), 24, seed=3)["weight"] == 3 * one["weight"]).all()
    assert (
        draw(asked, 24, seed=3)["id"].tolist()
        == drawn["id"].tolist()
        != draw(asked, 24, seed=4)["id"].tolist()
    )
    with pytest.raises(MeaningsError, match="a sample of 9999 answers"):
        draw(asked, 9999)


def test_annotators_see_nothing_of_the_automatic_label(asked, tmp_path):
    drawn = draw(asked, 20)
    write_sample(tmp_path, drawn, LEXICON)
    seen = pd.read_csv(tmp_path / "sample.csv", dtype=str, keep_default_na=False)
    assert list(seen) == [*SHOWN, *FILLED] and (seen["label"] == "").all()
    tasks = json.loads((tmp_path / "tasks.json").read_text())
    assert [task["data"]["id"] for task in tasks] == seen["id"].tolist() and set(
        tasks[0]["data"]
    ) == set(SHOWN)
    for secret in (
        "evidence",
        "stratum",
        "weight",
        *drawn["evidence"][drawn["evidence"].str.len() > 8],
    ):
        assert (
            secret
            not in (tmp_path / "sample.csv").read_text() + (tmp_path / "tasks.json").read_text()
        )
    # The order tells nothing either: the labels are mixed, and neighbours in it are not of one
    # stratum.
    assert (
        drawn["label"].astype(str).to_numpy()[1:] != drawn["label"].astype(str).to_numpy()[:-1]
    ).mean() > 0.4
    key = pd.read_csv(tmp_path / "key" / "key.csv", dtype={"id": str})
    assert set(key["id"]) == set(seen["id"])
    with pytest.raises(MeaningsError, match="it holds a sample already"):
        write_sample(tmp_path, drawn, LEXICON)


def test_the_sheet_shows_the_prompt_as_it_was(asked):
    drawn = draw(asked, 20)
    for row, shown in zip(drawn.itertuples(), sheet(drawn, LEXICON).itertuples(), strict=True):
        a, b = row.pair.split("-")
        wanted = row.target_concept if row.condition == "tgt_unpatched" else row.source_concept
        assert (shown.wanted_concept, shown.wanted_output, shown.wanted_input) == (
            wanted,
            LEXICON.word(wanted, b),
            LEXICON.word(wanted, a),
        )
        assert shown.other_concept == (
            "" if row.condition == "tgt_unpatched" else row.target_concept
        )
        assert (
            shown.solved_lines
            == f"{LEXICON.word(row.target_shots, a)} → {LEXICON.word(row.target_shots, b)}"
        )
        assert (shown.answer, shown.query_word) == (row.answer, row.query)


def test_label_studio_has_every_label_and_column():
    root = ElementTree.fromstring(configuration())
    assert [choice.get("value") for choice in root.iter("Choice")] == list(LABELS)
    assert [text.get("value") for text in root.iter("Text")] == [f"${name}" for name in SHOWN]


@pytest.fixture
def gold(asked, tmp_path):
    drawn = draw(asked, 32)
    folder = tmp_path / "gold"
    write_sample(folder, drawn, LEXICON)
    return folder, drawn


def fill(path, drawn, labels):
    path.parent.mkdir(exist_ok=True)
    pd.DataFrame({"id": drawn["id"], "label": labels, "note": ""}).to_csv(path, index=False)
    return path


def test_perfect_annotators_agree_with_each_other_and_the_labels(
    gold, tmp_path, capsys, monkeypatch
):
    folder, drawn = gold
    sheets = [
        fill(tmp_path / f"in/{name}.csv", drawn, drawn["label"].astype(str)) for name in ("a", "b")
    ]
    assert take_in(folder, sheets) == ({"a": 32, "b": 32}, [])
    monkeypatch.setattr(sys, "argv", ["meanings", "annotate", "agreement", str(folder), "--json"])
    with pytest.raises(SystemExit) as end:
        main.main()
    said = json.loads(capsys.readouterr().out)
    assert end.value.code in (0, None) and list(said) == ["answers", "alpha", "macro_f1", "classes"]
    assert (said["answers"], said["alpha"], said["macro_f1"]) == (32, 1, 1)
    assert said["classes"]["correct"] | {"automatic": 0, "gold": 0, "both": 0} == {
        "precision": 1,
        "recall": 1,
        "automatic": 0,
        "gold": 0,
        "both": 0,
    }
    assert sum(row["gold"] for row in said["classes"].values()) == 32


def test_a_key_is_labelled_again_as_it_was(gold):
    folder, drawn = gold
    sheet_, key = read_sample(folder), read_key(folder)
    again = relabelled(
        key.assign(label="copy", evidence=""),
        dict(zip(sheet_["id"], sheet_["answer"], strict=True)),
        LEXICON,
        Relations(),
    )
    assert (
        again["label"].tolist() == drawn["label"].tolist() == key["label"].tolist()
        and again["evidence"].tolist() == drawn["evidence"].tolist()
    )
    assert (
        set(drawn["label"]) > {"few_shot", "target_concept", "copy"}
        and (again["weight"] == key["weight"]).all()
    )


def test_random_annotators_agree_by_chance_only():
    random = np.random.default_rng(1)
    codes = random.integers(len(LABELS), size=(2, 3000)).astype(float)
    assert abs(alpha(codes)) < 0.03
    codes[1, :1500] = codes[0, :1500]
    assert 0.45 < alpha(codes) < 0.56


def test_alpha_of_a_table_reckoned_by_hand():
    # Labels 0 0 1 1 and 0 0 1 0: one of four pairs differs; of 8 labels 5 are 0 and 3 are 1.
    assert alpha(np.array([[0, 0, 1, 1], [0, 0, 1, 0]], float)) == pytest.approx(
        1 - (1 / 4) / (2 * 5 * 3 / (8 * 7))
    )
    assert np.isnan(alpha(np.zeros((2, 4)))) and np.isnan(alpha(np.zeros((1, 4))))


def test_precision_and_recall_use_the_weights():
    automatic = pd.Series(["correct", "correct", "copy", "copy"])
    truth = pd.Series(["correct", "copy", "copy", "correct"])
    found = by_class(automatic, truth, pd.Series([1.0, 3.0, 6.0, 2.0]))
    assert found.loc["correct", ["precision", "recall"]].tolist() == pytest.approx([1 / 4, 1 / 3])
    assert found.loc["copy", ["precision", "recall"]].tolist() == pytest.approx([6 / 8, 6 / 9])
    assert found.loc["copy", "f1"] == pytest.approx(2 * 6 / (8 + 9)) and found.loc[
        "copy", ["automatic", "gold", "both"]
    ].tolist() == [2, 2, 1]


def test_gold_is_what_more_than_half_say():
    said = pd.DataFrame(
        {
            "a": ["copy", "copy", "copy"],
            "b": ["copy", "other", "other"],
            "c": [None, None, "other"],
        },
        index=list("xyz"),
    )
    assert consensus(said).to_dict() == {"x": "copy", "z": "other"}


def test_answers_without_a_consensus_are_counted_and_left_out(gold):
    _, drawn = gold
    right = pd.DataFrame({"id": drawn["id"], "label": drawn["label"].astype(str), "note": ""})
    other = right.assign(
        label=["homograph" if i < 3 else label for i, label in enumerate(right["label"])]
    )
    found = agreement({"a": right, "b": other}, drawn, n=50)
    assert (found.undecided, found.answers, found.macro_f1) == (
        3,
        32,
        1,
    ) and found.low <= found.alpha <= found.high < 1.0001
    assert found.alpha < 1


def test_bad_rows_are_named_and_none_is_lost(gold, tmp_path, capsys, monkeypatch):
    folder, drawn = gold
    ids = drawn["id"].tolist()
    path = tmp_path / "in" / "a.csv"
    path.parent.mkdir()
    path.write_text(
        f"id,label,note\n{ids[0]}, Copy "
        f",\n{ids[1]},corect,hm\n{ids[2]},,\nnone,copy,\n{ids[0]},other,\n{ids[3]},other,fine\n"
    )
    for extra, code in (([], 2), (["--keep"], 0)):
        monkeypatch.setattr(
            sys, "argv", ["meanings", "annotate", "import", str(folder), str(path), *extra]
        )
        with pytest.raises(SystemExit) as end:
            main.main()
        assert (end.value.code or 0) == code
    said = capsys.readouterr().err
    assert (
        f"a.csv, line 3: answer {ids[1]}: label 'corect'; allowed are correct, other_form" in said
    )
    for part in (
        "line 4",
        "line 5: id 'none' is not in the sample",
        f"line 6: id {ids[0]!r} stands above already, labelled 'copy'",
    ):
        assert part in said
    assert read_passes(folder)["a"][["id", "label"]].values.tolist() == [
        [ids[0], "copy"],
        [ids[3], "other"],
    ]
    assert (folder / "a.rejected").read_text().count("\n") == 5
    # The mended sheet completes the pass; what it says otherwise than before is named.
    path.write_text(f"id,label\n{ids[0]},other\n{ids[1]},correct\n")
    taken, bad = take_in(folder, [path])
    assert (
        taken == {"a": 3}
        and [row.line for row in bad] == [2]
        and "allowed is one label per annotator" in str(bad[0])
    )


FORMULAS = ['=HYPERLINK("x")', "+1", "-2", "@cmd", "'tis", "＝1", "\tx", "''", "chat"]


def test_a_spreadsheet_runs_no_answer_and_every_answer_is_had_back(asked, tmp_path):
    drawn = draw(asked, 20).assign(answer=(FORMULAS * 3)[:20], query="=1+1")
    write_sample(tmp_path, drawn, LEXICON)
    written = pd.read_csv(tmp_path / "sample.csv", dtype=str, keep_default_na=False)
    risky = tuple("=+-@＝＋－＠\t\r\n")
    assert not written.map(lambda text: text.startswith(risky)).any(axis=None)
    back = read_sample(tmp_path)
    assert back["answer"].tolist() == [text.strip() for text in drawn["answer"]]
    assert (back["query_word"] == "=1+1").all()
    tasks = json.loads((tmp_path / "tasks.json").read_text())  # no spreadsheet reads these
    assert [task["data"]["answer"] for task in tasks] == drawn["answer"].tolist()


def test_a_spreadsheet_runs_no_note_and_a_pass_is_had_back_and_completed(gold, tmp_path):
    folder, drawn = gold
    notes = ["=cmd", "'quoted' word", "- unsure", "fine"]
    path = tmp_path / "in" / "a.csv"
    path.parent.mkdir()
    table = pd.DataFrame({"id": drawn["id"][:4], "label": "copy", "note": notes})
    table.to_csv(path, index=False)
    assert take_in(folder, [path])[1] == []
    written = pd.read_csv(folder / "a.csv", dtype=str)["note"].tolist()
    assert written == ["'=cmd", "''quoted' word", "'- unsure", "fine"]
    assert read_passes(folder)["a"]["note"].tolist() == notes
    take_in(folder, [path])
    assert read_passes(folder)["a"]["note"].tolist() == notes
    table.assign(label="none", note="=cmd").to_csv(path, index=False)
    take_in(folder, [path])
    assert "'=cmd" in (folder / "a.rejected").read_text()


@pytest.mark.parametrize("name", ["key.csv", "Sample 1.csv"])
def test_a_pass_has_a_plain_name(gold, tmp_path, name):
    folder, drawn = gold
    with pytest.raises(MeaningsError, match="the file's name becomes the pass's name"):
        take_in(folder, [fill(tmp_path / "in" / name, drawn, "copy")])


def test_source_prompts_show_their_own_solved_lines():
    table = rows(12).assign(
        condition=["src_unpatched", "seen"] * 6, source_shots="dog", target_shots="tree"
    )
    asked = questions(table, LEXICON, Relations())
    assert asked.groupby("condition")["shots"].unique().map(list).to_dict() == {
        "src_unpatched": ["dog"],
        "seen": ["tree"],
    }

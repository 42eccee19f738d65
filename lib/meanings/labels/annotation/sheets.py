"""What annotators get: the sheet as CSV, the same as Label Studio tasks with their labelling
configuration.

Texts of the CSV sheet, a model's answers among them, are guarded against spreadsheets that run
formulas (`meanings.core.spreadsheets`).
"""

import json
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pandas as pd

from meanings.core.atomic_files import atomic_file
from meanings.core.errors import MeaningsError
from meanings.core.spreadsheets import harmless
from meanings.labels.annotation.sample import KEY_COLUMNS
from meanings.labels.labeller import LABELS
from meanings.lexicon.languages import language, parse_pair
from meanings.lexicon.lexicon import Lexicon

SHOWN = {
    "id": "Answer",
    "input_language": "Language of the query word",
    "output_language": "Language that the answer should have",
    "query_word": "Query word in the prompt",
    "wanted_concept": "Wanted concept",
    "wanted_output": "Its words in the output language, the prompts' word first",
    "wanted_input": "Its words in the input language",
    "other_concept": "The other prompt's concept",
    "other_output": "Its words in the output language",
    "other_input": "Its words in the input language",
    "solved_lines": "Few-shot examples in the prompt",
    "answer": "The model's answer",
}
FILLED = ("label", "note")


def sheet(drawn: pd.DataFrame, lexicon: Lexicon) -> pd.DataFrame:
    """The blind sheet of a drawn sample (`sample.draw`): columns of `SHOWN`, then empty `label` and
    `note`.
    """
    rows = []
    for row in drawn.itertuples():
        pair = parse_pair(row.pair)
        lines = [
            f"{lexicon.word(shot, pair.input)} → {lexicon.word(shot, pair.output)}"
            for shot in row.shots.split("|")
            if shot
        ]
        languages = (language(pair.input).name, language(pair.output).name)
        wanted = (
            row.expected,
            *(_words(lexicon, row.expected, c) for c in (pair.output, pair.input)),
        )
        other = (row.other, *(_words(lexicon, row.other, c) for c in (pair.output, pair.input)))
        rows.append(
            (row.id, *languages, row.query, *wanted, *other, "; ".join(lines), row.answer, "", "")
        )
    return pd.DataFrame(rows, columns=[*SHOWN, *FILLED])


def _words(lexicon: Lexicon, concept: str, code: str) -> str:
    return " | ".join(lexicon.words(concept, code)) if concept else ""


def write_sample(folder: Path, drawn: pd.DataFrame, lexicon: Lexicon) -> list[Path]:
    """Write `sample.csv`, `tasks.json` and `label_studio.xml` into the folder and `key/key.csv`
    beside them, for no annotator's eyes.

    Raises MeaningsError where the folder has a sample already: what was annotated would lose its
    key.
    """
    if (folder / "sample.csv").exists():
        raise MeaningsError(
            f"{folder}: it holds a sample already, which annotators may be using; name another "
            f"folder"
        )
    shown = sheet(drawn, lexicon)
    tasks = [
        {"id": i, "data": dict(row)}
        for i, row in enumerate(shown[list(SHOWN)].to_dict("records"), start=1)
    ]
    contents = {
        "key/key.csv": drawn[list(KEY_COLUMNS)].to_csv(index=False, lineterminator="\n"),
        "tasks.json": json.dumps(tasks, ensure_ascii=False, indent=1) + "\n",
        "label_studio.xml": configuration(),
        "sample.csv": shown.map(harmless).to_csv(index=False, lineterminator="\n"),
    }
    for name, content in contents.items():
        with atomic_file(folder / name) as aside:
            aside.write_text(content, encoding="utf-8", newline="")
    return [folder / name for name in contents]


def configuration() -> str:
    """Label Studio's labelling configuration: the sheet's columns as text, one choice of the
    labels, a note.
    """
    lines = ["<View>"]
    for name, title in SHOWN.items():
        lines.append(
            f'  <Header value={quoteattr(title)} size="5"/>\n  <Text name="{name}" '
            f'value="${name}"/>'
        )
    lines.append('  <Choices name="label" toName="answer" choice="single-radio" required="true">')
    lines += [
        f"    <Choice value={quoteattr(label)} hint={quoteattr(meaning)}/>"
        for label, meaning in LABELS.items()
    ]
    lines += [
        "  </Choices>",
        '  <TextArea name="note" toName="answer" placeholder="Note" rows="1"/>',
        "</View>",
        "",
    ]
    return "\n".join(lines)

"""Query words for which translating and copying, or two senses, can be told apart.

    false_friend  the word means something else in the output language: de Gift (poison), en gift
    polysemous    the word has several senses, whose output words differ: en bat, fr chauve-souris
                  and batte
    cognate       the word is the same in both languages, and may be copied: en piano, fr piano

A *plain* word is none of these: it is what a control is drawn from. The kinds follow from a
lexicon alone. The lexicon *targeted* is the embedded one in six languages with the senses of
`targeted_words.csv` beside it, which are written by hand so that there are enough words of each
kind; the embedded lexicon stays as it is.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from meanings.core.errors import MeaningsError, one_of
from meanings.core.paths import data_folder
from meanings.lexicon.entries import concept_of, read_words, split_words
from meanings.lexicon.forms import normal_form
from meanings.lexicon.languages import LanguagePair
from meanings.lexicon.lexicon import Lexicon, load_lexicon

KINDS = ("false_friend", "polysemous", "cognate")
PLAIN = "plain"
NEEDS_A_WORD = ("false_friend", "polysemous")  # of its own, for each sense
LANGUAGES = ("en", "fr", "de", "es", "it", "pl")
WORDS_COLUMNS = ("concept", "category", *LANGUAGES, "comment")
COLUMNS = ("kind", "pair", "word", "concept", "category", "accepted", "elsewhere")


@dataclass(frozen=True)
class Query:
    """A query word, the sense that counts as right, and its other senses.

    - `kind`: one of `KINDS`, or `plain`; `pair`: input-output; `word`: as prompts write it.
    - `concept`: the sense that is asked for; `accepted`: its words in the output language.
    - `elsewhere`: the words in the output language of what the query word means besides: of its
      other senses in the input language, or of its meaning in the output language.
    """

    kind: str
    pair: LanguagePair
    word: str
    concept: str
    category: str
    accepted: tuple[str, ...]
    elsewhere: tuple[str, ...]

    def cells(self) -> list[str]:
        """Its row of a CSV file, `|` between words."""
        words = "|".join(self.accepted), "|".join(self.elsewhere)
        return [self.kind, str(self.pair), self.word, self.concept, self.category, *words]


def targeted_lexicon(words: Path | None = None) -> Lexicon:
    """The embedded lexicon in six languages, and the senses of `targeted_words.csv` behind it.

    Raises MeaningsError, with file, line and column, on other columns, an empty or doubled cell,
    and a concept or category that is twice there or unknown.
    """
    path = words or data_folder() / "lexicon" / "targeted_words.csv"
    base, table = load_lexicon("embedded").restrict(languages=LANGUAGES), read_words(path)
    if table.header != WORDS_COLUMNS:
        raise MeaningsError(
            f"{path}, line 1: columns {', '.join(table.header)}; expected "
            f"{', '.join(WORDS_COLUMNS)}"
        )
    entries, categories = dict(base.entries), dict(base.categories)
    known = set(categories.values())
    for line, row in table.rows:
        concept = concept_of(row, "concept", line, path)
        if concept in entries:
            raise MeaningsError(
                f"{path}, line {line}, column 'concept': {concept!r} occurs already; name the "
                f"other sense, such as 'bat (club)'"
            )
        if row["category"] not in known:
            raise MeaningsError(
                f"{path}, line {line}, column 'category': {row['category']!r}; allowed are "
                f"{one_of(sorted(known))}"
            )
        entries[concept] = {
            code: split_words(row[code], f"{path}, line {line}, column {code!r}", code)
            for code in LANGUAGES
        }
        categories[concept] = row["category"]
    return Lexicon("targeted", LANGUAGES, entries, categories)


def targeted_queries(lexicon: Lexicon, pairs: Sequence[LanguagePair]) -> list[Query]:
    """All query words of the kinds, and the plain ones, by language pair and in the lexicon's
    order.

    Raises MeaningsError on a pair whose languages the lexicon lacks.
    """
    for pair in pairs:
        for code in (pair.input, pair.output):
            if code not in lexicon.languages:
                raise MeaningsError(
                    f"pair {pair}: lexicon {lexicon.name!r} lacks {code!r}; it has "
                    f"{one_of(lexicon.languages)}; choose a pair of these"
                )
    codes = {code for pair in pairs for code in (pair.input, pair.output)}
    meanings = {code: _meanings(lexicon, code) for code in codes}
    return [
        query
        for pair in pairs
        for query in _of_pair(lexicon, pair, meanings[pair.input], meanings[pair.output])
    ]


def _meanings(lexicon: Lexicon, code: str) -> dict[str, tuple[str, ...]]:
    """By normal form, the concepts that a language uses it for."""
    found: dict[str, tuple[str, ...]] = {}
    for concept in lexicon.concepts:
        for form in dict.fromkeys(map(normal_form, lexicon.words(concept, code))):
            found[form] = (*found.get(form, ()), concept)
    return found


def _of_pair(
    lexicon: Lexicon,
    pair: LanguagePair,
    read: dict[str, tuple[str, ...]],
    said: dict[str, tuple[str, ...]],
) -> Iterator[Query]:
    for concept in lexicon.concepts:
        word = lexicon.word(concept, pair.input)
        form = normal_form(word)
        accepted = lexicon.words(concept, pair.output)
        senses = [other for other in read[form] if other != concept]
        abroad = [other for other in said.get(form, ()) if other != concept]
        kind = _kind(form, concept, senses, abroad, accepted, said)
        others = abroad if kind == "false_friend" else senses
        if kind is None or (kind in NEEDS_A_WORD and _share(lexicon, pair.output, concept, others)):
            continue  # of no kind, or one output word would be right for both senses
        elsewhere = dict.fromkeys(w for other in others for w in lexicon.words(other, pair.output))
        yield Query(
            kind,
            pair,
            word,
            concept,
            lexicon.categories.get(concept, ""),
            accepted,
            tuple(elsewhere),
        )


def _kind(
    form: str,
    concept: str,
    senses: Sequence[str],
    abroad: Sequence[str],
    accepted: Iterable[str],
    said: dict[str, tuple[str, ...]],
) -> str | None:
    """The kind of a query word; None where it would be of two kinds."""
    same = form in set(map(normal_form, accepted))
    if not senses and not abroad:
        return "cognate" if same else PLAIN
    if same or (senses and form in said):
        return None
    return "polysemous" if senses else "false_friend"


def _share(lexicon: Lexicon, code: str, concept: str, others: Sequence[str]) -> bool:
    own = set(map(normal_form, lexicon.words(concept, code)))
    return any(own & set(map(normal_form, lexicon.words(other, code))) for other in others)


def targeted_csv(queries: Iterable[Query]) -> str:
    """The queries of the kinds, without plain words, as the text of a CSV file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(query.cells() for query in queries if query.kind in KINDS)
    return text.getvalue()

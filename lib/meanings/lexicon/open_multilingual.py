"""Relations in further languages from the Open Multilingual Wordnet, by the library wn."""

from meanings.core.errors import MeaningsError
from meanings.lexicon.lexicon import Lexicon
from meanings.lexicon.senses import choose_synsets
from meanings.lexicon.wordnet import Database


def open_multilingual(
    lexicon: Lexicon, database: Database, overrides: dict[str, str], languages: tuple[str, ...]
) -> list[tuple[str, ...]]:
    """Synonyms, hypernyms and hyponyms in other languages from the Open Multilingual Wordnet, by
    the `wn` library.

    The synsets are found by their interlingual index through the English wordnet that `wn` has
    (`omw-en31`, else any English one): of that wordnet's synsets the one whose lemmas are those of
    the concept's synset.

    Raises MeaningsError where `wn` is not installed, or its data lacks English or a language asked
    for.
    """
    try:
        import wn
    except ImportError:
        raise MeaningsError(
            "the Open Multilingual Wordnet is read with the library wn, which is not installed; "
            "run 'pip install wn'"
        ) from None
    have = {entry.language for entry in wn.lexicons()}
    for code in ("en", *languages):
        if code not in have:
            raise MeaningsError(
                f"wn has no wordnet in {code!r}, only in {', '.join(sorted(have)) or 'none'}; run "
                "'python -m wn download omw' or add a file with wn.add"
            )
    english = wn.Wordnet(lang="en", expand="")
    rows = []
    for concept, offset in choose_synsets(lexicon, database, overrides).items():
        lemmas = {lemma.replace("_", " ").lower() for lemma in database.lemmas[offset]}
        word = lexicon.word(concept, "en")
        same = [
            s
            for s in english.synsets(word, pos="n")
            if {lemma.lower() for lemma in s.lemmas()} == lemmas and s.ili
        ]
        for synset in same[:1]:
            for relation, near in (
                ("synonym", [synset]),
                ("hypernym", synset.hypernyms()),
                ("hyponym", synset.hyponyms()),
            ):
                for other in near:
                    if not other.ili:
                        continue
                    for code in languages:
                        for found in wn.synsets(ili=_ili(other), lang=code):
                            rows += [
                                (concept, relation, code, w, found.id, found.lexicon().specifier())
                                for w in found.lemmas()
                                if w not in lexicon.words(concept, code)
                            ]
    return list(dict.fromkeys(rows))


def _ili(synset) -> str:
    return synset.ili if isinstance(synset.ili, str) else synset.ili.id

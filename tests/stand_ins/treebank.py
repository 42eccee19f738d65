"""A made-up parallel treebank: short sentences of nouns, verbs and adjectives in three languages,
each with its own order of words.
"""

from pathlib import Path

import numpy as np

NOUNS = (("house", "maison", "Haus"), ("cat", "chat", "Katze"), ("king", "roi", "König"))
VERBS = (("sees", "voit", "sieht"), ("finds", "trouve", "findet"))
ADJECTIVES = (("old", "vieux", "alt"), ("new", "neuf", "neu"))
CODES = ("de", "es", "fr")  # no word is Spanish: what counts is that all annotation is manual
# subject, verb, object, its adjective, an adverb, a determiner: orders of the languages
ORDERS = {"de": (5, 0, 1, 3, 2, 4), "es": (5, 0, 1, 2, 3, 4), "fr": (4, 5, 0, 1, 2, 3)}
UPOS = ("NOUN", "VERB", "NOUN", "ADJ", "ADV", "DET")
HEADS = (1, -1, 1, 2, 1, 0)
RELATIONS = ("nsubj", "root", "obj", "amod", "advmod", "det")


def sentence(name: str, forms: tuple[str, ...], order: tuple[int, ...], plural: bool) -> str:
    """A sentence in CoNLL-U; the full stop stands without a space before it."""
    place = {word: number for number, word in enumerate(order, 1)}
    features = f"Number={'Plur' if plural else 'Sing'}"
    rows = [
        (
            str(place[word]),
            forms[word],
            "_",
            UPOS[word],
            "_",
            features if UPOS[word] == "NOUN" else "_",
            str(0 if HEADS[word] < 0 else place[HEADS[word]]),
            RELATIONS[word],
            "_",
            "SpaceAfter=No" if word == order[-1] else "_",
        )
        for word in order
    ]
    rows.append(("7", ".", "_", "PUNCT", "_", "_", str(place[1]), "punct", "_", "_"))
    text = " ".join(forms[word] for word in order) + "."
    lines = [f"# sent_id = {name}", f"# text = {text}", *("\t".join(row) for row in rows)]
    return "\n".join(lines) + "\n\n"


def write_treebank(folder: Path, sentences: int = 40) -> Path:
    """The files of three languages."""
    folder.mkdir(parents=True, exist_ok=True)
    for place, code in enumerate(CODES):
        rng = np.random.default_rng(3)  # the same sentences in every language
        blocks = []
        for number in range(sentences):
            subject, other, verb, adjective = rng.integers((3, 3, 2, 2))
            forms = (
                NOUNS[subject][place],
                VERBS[verb][place],
                NOUNS[other][place],
                ADJECTIVES[adjective][place],
                f"so{number}",
                f"a{place}",
            )
            plural = bool(rng.integers(2))
            blocks.append(sentence(f"n{number:03}", forms, ORDERS[code], plural))
        (folder / f"{code}_made-ud-test.conllu").write_text("".join(blocks), encoding="utf-8")
    return folder

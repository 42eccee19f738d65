"""What the chapter Error analysis says of targeted query words."""

from collections.abc import Mapping, Sequence

import pandas as pd

from meanings.book.facts.wording import either, interval, plural
from meanings.core.formatting import span
from meanings.labels.gains import share_of
from meanings.lexicon.lexicon import load_lexicon
from meanings.statistics.effects import Effect, Verdict
from meanings.statistics.targeted import KINDS, compared
from meanings.validity.claims.claim import Tables
from meanings.validity.claims.error_analysis import POINTS, decided

VERDICTS: dict[Verdict, str] = {
    "holds": "the claim holds",
    "refuted": "the claim is refuted",
    "undecided": "the data do not decide it",
}
FRIENDS: dict[Verdict, str] = {
    "holds": "It gains more right answers on false friends than on matched plain words.",
    "refuted": "It gains no more right answers on false friends than on matched plain words.",
    "undecided": "Whether it gains more right answers on false friends than on matched plain words "
    "is not decided there.",
}
SHORT = {"miniature": "mini", "gemma-3-270m": "gemma"}
ORDER = ("src_unpatched", "seen", "tgt", "self", "null_concept")
NAMES = {"miniature": "the miniature", "gemma-3-270m": "Gemma 3 270M"}


def claims(tables: Tables) -> dict[str, object]:
    """Of each claim, `ea_<id>` (value with interval) and `ea_<id>_verdict`."""
    said: dict[str, object] = {}
    for claim_id, (effect, verdict) in decided(tables).items():
        name = f"ea_{claim_id.replace('-', '_')}"
        said[name] = _effect(effect)
        said[f"{name}_verdict"] = VERDICTS[verdict] if effect else "it is not measured"
    return said


def _effect(effect: Effect | None) -> str:
    return span(effect.value, effect.low, effect.high) if effect else "not measured"


def rates(model: str, table: pd.DataFrame) -> dict[str, object]:
    """Shares before and after, by kind: `ea_<model>_<kind>_<right or copied>_<before or after>`,
    for controls with `_control`; and numbers of queries.

    - `table`: of `meanings.statistics.targeted.rates`.
    """
    said: dict[str, object] = {}
    for _, row in table.iterrows():
        role = "" if row["role"] == "query" else "_control"
        name = f"ea_{SHORT[model]}_{row['kind']}{role}"
        for outcome in ("right", "copied"):
            for when in ("before", "after"):
                said[f"{name}_{outcome}_{when}"] = f"{row[f'{outcome}_{when}']:.0%}"
        said[f"{name}_n"] = int(row["n"])
    return said


def gains(model: str, found: pd.DataFrame) -> dict[str, object]:
    """Of the gains of each kind of word, the shares that select a sense and that stop copying.

    - `found`: of `meanings.labels.targeted.gains`.
    """
    said: dict[str, object] = {}
    for kind in KINDS:
        own = found[found["word_kind"] == kind]
        name = f"ea_{SHORT[model]}_{kind}"
        n = int((own["direction"] == 1).sum())
        said[f"{name}_gains"] = n
        for change in ("sense", "copying", "translation"):
            share = span(*share_of(own, [change])) if n else "none"
            said[f"{name}_{change}"] = share
    return said


def differences(model: str, table: pd.DataFrame) -> dict[str, object]:
    """The difference to the controls by kind and condition, `ea_<model>_<kind>_<condition>`, and
    the smallest that would have been found, `..._detectable`.
    """
    said: dict[str, object] = {}
    for _, row in table[table["what"] == "difference"].iterrows():
        name = f"ea_{SHORT[model]}_{row['kind']}_{row['condition']}"
        said[name] = interval(row)
        said[f"{name}_detectable"] = f"{row['detectable']:.2f}"
    return said


def matching(model: str, rows: pd.DataFrame) -> dict[str, object]:
    """Shares of controls of the query word's category, and of its number of tokens.

    - `rows`: of `meanings.statistics.targeted.answered`.
    """
    categories = load_lexicon(str(rows["lexicon"].iloc[0])).categories
    own = rows[rows["condition"] == "src_unpatched"].assign(
        category=rows["source_concept"].map(categories)
    )
    place = ["training_seed", "step", "pair", "item"]
    wide = own.pivot(index=place, columns="role", values=["category", "word_tokens"])
    name = f"ea_{SHORT[model]}"
    same = {
        part: (wide[part]["query"] == wide[part]["control"]).mean()
        for part in wide.columns.levels[0]
    }
    return {
        f"{name}_same_category": f"{same['category']:.0%}",
        f"{name}_same_length": f"{same['word_tokens']:.0%}",
    }


def null(model: str, rows: pd.DataFrame) -> dict[str, object]:
    """Accuracy of the query words under the vector of a third concept."""
    own = rows[(rows["condition"] == "null_concept") & (rows["role"] == "query")]
    name = f"ea_{SHORT[model]}_null"
    return {name: f"{own['right'].mean():.3f}" if len(own) else "not measured"}


def shared(model: str, table: pd.DataFrame) -> dict[str, object]:
    """The language pairs on which all conditions are compared, and what they give false friends.

    - `table`: of `meanings.statistics.targeted.at_shared_pairs`.
    """
    own = table[(table["kind"] == "false_friend") & (table["role"] == "query")]
    right = own.set_index("condition")["right"]
    names = {"src_unpatched": "asked directly", "null_concept": "the null"}
    said = [f"{names.get(name, name)} {right[name]:.0%}" for name in ORDER if name in right]
    name = f"ea_{SHORT[model]}_shared"
    return {
        f"{name}_pairs": table["pairs"].iloc[0] if len(table) else "none",
        f"{name}_friends": ", ".join(said) or "not measured",
    }


def copies(model: str, changed: pd.DataFrame) -> dict[str, object]:
    """The change of the share of copies relative to the controls, by kind."""
    rows = compared(changed, "copied")
    rows = rows[rows["what"] == "difference"]
    return {
        f"ea_{SHORT[model]}_{row['kind']}_copied_difference": interval(row)
        for _, row in rows.iterrows()
    }


def plain(tables: Tables) -> dict[str, object]:
    """What the patch does to plain words on the two models, in a sentence."""
    found = decided(tables)
    said = []
    for model, name in NAMES.items():
        effect, verdict = found[f"errors-plain-{model.partition('-')[0]}"]
        where = f"{'In' if model == 'miniature' else 'On'} {name}"
        if effect is None or verdict == "undecided":
            said.append(f"{where} the tables do not decide whether plain words change.")
        elif verdict == "holds":
            said.append(f"{where} plain words keep their accuracy within {POINTS}.")
        else:
            change = "gain" if effect.value > 0 else "lose"
            said.append(f"{where} plain words {change} accuracy as well.")
    return {"ea_plain_says": " ".join(said)}


def which(differences: pd.DataFrame, kind: str = "polysemous") -> dict[str, object]:
    """Whether the vector of other languages, and not that of the pair itself, tells senses apart.

    - `differences`: differences to the controls by `kind` and `condition`.
    """
    rows = differences[(differences["what"] == "difference") & (differences["kind"] == kind)]
    low = rows.set_index("condition")["low"]
    alone = low["seen"] > 0 >= low.get("tgt", 1.0)
    return {
        "ea_which": either(
            alone,
            "The interval of the other-language mean lies above zero; that of the pair's own "
            "vector contains zero.",
            "These intervals do not tell the two vectors apart.",
        )
    }


def headline(tables: Tables) -> dict[str, object]:
    """The takeaway, which follows the claims of both models."""
    found = decided(tables)
    verdict = {name: found[1] for name, found in found.items()}
    senses = verdict["errors-words-of-several-senses-miniature"] == "holds"
    friends = verdict["errors-false-friends-gemma"]
    copies = verdict["errors-copying-gemma"] == "holds"
    plain = verdict["errors-plain-miniature"] == "holds"
    effect = found["errors-plain-gemma"][0]
    real = verdict["errors-plain-gemma"] == "refuted" and effect is not None and effect.value > 0
    return {
        "ea_takeaway": " ".join(
            sentence
            for sentence in [
                either(
                    senses,
                    "In the miniature the patch selects the wanted sense of a word with several.",
                    "In the miniature the data do not show that the patch selects senses.",
                ),
                either(
                    copies,
                    "Gemma copies most false friends when it is asked directly and few when the "
                    "concept is patched in.",
                    "On Gemma the data do not show that the patch stops copying.",
                ),
                FRIENDS[friends],
                either(
                    plain,
                    "In the miniature the same patch leaves plain words as they are.",
                    "What the same patch does to plain words in the miniature is not decided.",
                ),
                either(
                    real,
                    f"On Gemma plain words gain accuracy as well, by {_effect(effect)}.",
                    "",
                ),
            ]
            if sentence
        )
    }


def agreement(tables: Tables) -> list[tuple[str, str, str, str]]:
    """What the paper reports, what is found here, whether they agree, and if not, why."""
    said = claims(tables)
    verdict = {name: found[1] for name, found in decided(tables).items()}

    def value(name: str) -> str:
        return str(said[f"ea_{name}"])

    def agrees(*ids: str) -> str:
        found = [verdict[name] == "holds" for name in ids]
        return "yes" if all(found) else "in part" if any(found) else "not decided"

    senses = "errors-words-of-several-senses-"
    return [
        (
            "Some gains select a sense of a word that has several",
            f"miniature {value('errors_words_of_several_senses_miniature')}, Gemma "
            f"{value('errors_words_of_several_senses_gemma')} above the controls",
            agrees(f"{senses}miniature", f"{senses}gemma"),
            "Gemma in four bits knows too few of the words"
            if verdict[f"{senses}gemma"] != "holds"
            else "",
        ),
        (
            "Some homographs are translated instead of copied",
            f"copies of false friends: miniature {value('errors_copying_miniature')}, Gemma "
            f"{value('errors_copying_gemma')}",
            agrees("errors-copying-miniature", "errors-copying-gemma"),
            "the miniature's text has few false friends, and it copies few of them"
            if verdict["errors-copying-miniature"] != "holds"
            else "",
        ),
        (
            "Labels by hand, without agreement figures",
            "labels by written rules, held against two passes of a language model",
            "not comparable",
            "the paper's labels are not published with their evidence",
        ),
    ]


def seeds(tables: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    """How many training runs the table has of each model."""
    return {
        f"ea_{SHORT[model]}_seeds": plural(table["training_seed"].nunique(), "training seed")
        for model, table in tables.items()
    }


def everything(
    tables: Tables,
    models: Sequence[str],
    by_model: Mapping[str, Mapping[str, pd.DataFrame]],
) -> dict[str, object]:
    """All that the chapter says of targeted words.

    - `by_model`: `rates`, `gains`, `differences`, `rows`, `changed` and `shared`, each by model.
    """
    said: dict[str, object] = {}
    for model in models:
        said |= rates(model, by_model["rates"][model])
        said |= gains(model, by_model["gains"][model])
        said |= differences(model, by_model["differences"][model])
        said |= matching(model, by_model["rows"][model])
        said |= copies(model, by_model["changed"][model])
        said |= null(model, by_model["rows"][model])
        said |= shared(model, by_model["shared"][model])
    said |= which(by_model["differences"]["miniature"])
    said |= seeds(by_model["changed"])
    return said | claims(tables) | headline(tables) | plain(tables)

"""Tables of one patch: its tokens, arrays, vectors and conditions, and what its drawing writes."""

from importlib.metadata import version

import pandas as pd
from torch import Tensor

from meanings.book.figures.style import drawable
from meanings.book.tables.answers import plain
from meanings.book.walkthrough.patch import Walkthrough
from meanings.patching.conditions import CONDITIONS

IN_WORDS = {
    "seen": "other-language mean",
    "en_en": "English copying",
    "self": "copying in the output language",
    "tgt": "same pair",
    "tgt_tgt": "identity",
    "src_unpatched": "asked directly",
    "tgt_unpatched": "no patch",
    "null_concept": "null (third concept)",
    "null_mean": "null (mean of concepts)",
}


def tokens(walk: Walkthrough) -> pd.DataFrame:
    """The tokens of the target prompt's last line: position, text, and what stands there."""
    last = len(walk.target.token_ids) - 1
    roles = {
        walk.target.query_position: "query word's last token",
        last: "the answer is read here",
    }
    rows = [
        {
            "position": place,
            "token": plain(walk.model.tokenizer.decode([walk.target.token_ids[place]])),
            "role": roles.get(place, ""),
        }
        for place in range(walk.target.line_position, last + 1)
    ]
    return pd.DataFrame(rows).set_index("position")


def shapes(walk: Walkthrough) -> pd.DataFrame:
    """The arrays of a patch: name, axes, shape."""
    layers, pairs, width = walk.model.n_layers, len(walk.source_prompts), walk.model.d_model
    outputs = "outputs of every layer at that token"
    cut = "token ids up to the query word's last"
    rows = [
        ("target prompt", "position", (len(walk.target.token_ids),), "token ids"),
        ("source prompt, cut", "position", (len(walk.source.cut()),), cut),
        ("source states", "layer x pair x d_model", (layers, pairs, width), outputs),
        ("concept vector", "layer x d_model", (layers, width), "their mean over pairs"),
        (
            "patched rows",
            "first layer x vocab",
            (layers, walk.vocabulary),
            "next-token logits, a row for every first layer",
        ),
    ]
    columns = ["array", "axes", "shape", "what it holds"]
    return pd.DataFrame(rows, columns=columns).set_index("array")


def vectors(vector: Tensor) -> pd.DataFrame:
    """A vector's length and first three numbers, layer by layer.

    - `vector`: [layer, d_model].
    """
    rows = [
        {"layer": layer, "length": float(row.norm())}
        | {f"number {k}": float(row[k]) for k in range(3)}
        for layer, row in enumerate(vector)
    ]
    return pd.DataFrame(rows).set_index("layer").round(2)


def conditions() -> pd.DataFrame:
    """Name and meaning of every condition, from the library."""
    columns = {
        "condition": list(CONDITIONS),
        "in words": [IN_WORDS.get(name, "") for name in CONDITIONS],
        "source of the vector": [entry.description for entry in CONDITIONS.values()],
    }
    return pd.DataFrame(columns).set_index("condition")


def paper(walk: Walkthrough) -> list[tuple[str, str, str, str]]:
    """How the published patch and this one compare: rows of `meanings.book.tables.agreement`."""
    saving = walk.saving()
    return [
        (
            "The concept vector is a mean over language pairs, read at the query word's last token "
            "and written into layer j and all later ones.",
            "The same.",
            "yes",
            "",
        ),
        (
            "The position is counted from the end of a run's first target prompt.",
            "The position is found in each prompt.",
            "in part",
            "The two agree where the text after the query word has as many tokens in every prompt.",
        ),
        (
            "Every first layer and condition takes a forward pass of the whole prompt.",
            "What does not depend on the patch is computed once: "
            f"{saving['ours']:,.0f} token passes instead of {saving['published']:,.0f}.",
            "yes",
            "The passes differ and the probabilities do not.",
        ),
        (
            "No null for the concept vector.",
            "The vector of a third concept.",
            "not comparable",
            "The paper reports none.",
        ),
    ]


def drawing(walk: Walkthrough, first_layer: int, answer: str) -> dict:
    """What the drawing of the patch writes, in letters that its font has: the keyword arguments of
    `figures.patch.patch_drawing`.
    """
    prompts = walk.source_prompts
    source = next((prompt for prompt in prompts if drawable(prompt.text, "")), prompts[0])
    lines = [prompt.text.splitlines()[-1] for prompt in (source, walk.target)]
    words = [
        walk.lexicon.word(prompt.query_concept, prompt.pair.input)
        for prompt in (source, walk.target)
    ]
    cut = lines[0][: lines[0].rindex(words[0]) + len(words[0])]
    return {
        "source_word": drawable(words[0], walk.concepts.source),
        "target_word": drawable(words[1], walk.concepts.target),
        "source_line": drawable(cut, str(source.pair)),
        "target_line": drawable(lines[1], str(walk.pair)),
        "others": f"and {len(prompts) - 1} more pairs" if len(prompts) > 1 else "",
        "answer": drawable(answer, "the answer"),
        "n_layers": walk.model.n_layers,
        "first_layer": first_layer,
    }


def provenance(walk: Walkthrough) -> pd.DataFrame:
    """The box at the chapter's end. Columns `what`, `value`."""
    page = walk.page
    rows = {
        "model": f"{page.model}, training seed {page.training_seed}, step {walk.checkpoint.step}",
        "weights (sha256)": walk.model.weights_sha256[:12],
        "lexicon": f"{page.lexicon}, sha256 {walk.lexicon.sha256[:12]}",
        "prompts": f"seed {page.prompt_seed}, concept pair {walk.example} of {page.n_pairs}, "
        f"{page.shots} few-shot examples, template {page.template}",
        "floating type": walk.model.dtype,
        "libraries": ", ".join(
            f"{name} {version(name)}" for name in ("meanings", "torch", "transformers", "nnsight")
        ),
    }
    return pd.DataFrame({"what": list(rows), "value": list(rows.values())}).set_index("what")

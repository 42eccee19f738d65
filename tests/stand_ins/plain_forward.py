"""The method once more, as plainly as it can be written: PyTorch hooks, one prompt at a time, whole
prompts, no cache.

Nothing of the library's engine is used here, so that a mistake there cannot hide in its own check.
"""

from itertools import product

import torch


def _hidden(output):
    return output[0] if isinstance(output, tuple) else output


@torch.no_grad()
def stack(network, layers, ids, position):
    """[layer, d_model]: every layer's output at `position`, for the tokens up to there."""
    found, handles = [], []
    for layer in layers:
        handles.append(
            layer.register_forward_hook(
                lambda _m, _i, out: found.append(_hidden(out)[0, -1].clone())
            )
        )
    network(input_ids=torch.tensor([ids[: position + 1]]), use_cache=False)
    for handle in handles:
        handle.remove()
    return torch.stack(found)


@torch.no_grad()
def distribution(network, layers, ids, position, vectors, first_layer, only=False):
    """Next-token distribution after `ids`, layers `first_layer`... overwritten at `position` (None:
    no patch); `only`: that one.
    """
    handles = []
    for index, layer in enumerate(layers):

        def write(_module, _input, output, index=index):
            if first_layer is not None and (index == first_layer if only else index >= first_layer):
                hidden = _hidden(output).clone()
                hidden[0, position] = vectors[index]
                return (hidden, *output[1:]) if isinstance(output, tuple) else hidden

        handles.append(layer.register_forward_hook(write))
    logits = network(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1]
    for handle in handles:
        handle.remove()
    return torch.softmax(logits.float(), -1)


def word(following, said, closing):
    """Probability of the tokens `said` and then one of `closing`, one whole forward a token.

    - `following`: the next-token distribution after tokens that were said (see `distribution`).
    """
    chance = 1.0
    for count, token in enumerate(said):
        chance *= following(tuple(said[:count]))[token]
    return chance * following(tuple(said))[sorted(closing)].sum()


def answer(
    network, layers, tokenizer, ids, position, vectors, first_layer, tokens, closing, only=False
):
    """Greedy text of at most `tokens` tokens, patched anew in every step; it ends with the token
    that closes it.
    """
    said = []
    while len(said) < tokens:
        said.append(
            int(
                distribution(
                    network, layers, (*ids, *said), position, vectors, first_layer, only
                ).argmax()
            )
        )
        if said[-1] in tokenizer.all_special_ids or any(
            mark in tokenizer.decode([said[-1]]) for mark in closing
        ):
            break
    return tokenizer.decode(said, skip_special_tokens=True)


def prompt_text(lexicon, names, pair, concept, shots):
    """The prompt of the method's description, and where its query word ends."""
    a, b = pair
    lines = [
        f'{names[a]}: "{lexicon.word(shot, a)}" - {names[b]}: "{lexicon.word(shot, b)}"\n'
        for shot in shots
    ]
    query = "".join(lines) + f'{names[a]}: "{lexicon.word(concept, a)}'
    return query + f'" - {names[b]}: "', len(query)


def vectors(network, layers, lexicon, tokenizer, names, name, target, pairs, seen):
    """[layer, prompt, d_model] of the condition `name` for target pair `target` = (x, y), or None;
    as METHOD.md's table.
    """
    x, y = target
    foreign = [(a, b) for a, b in product(seen, seen) if a != b and not {a, b} & {"en", x, y}]
    sources = {
        "seen": foreign,
        "null_concept": foreign,
        "null_mean": foreign,
        "en_en": [("en", "en")],
        "self": [] if y == "en" else [(y, y)],
        "tgt": [(x, y)],
        "tgt_tgt": [(x, y)],
    }[name]
    if not sources:
        return None
    rows = []
    for pair in pairs:
        concept = {"null_concept": pair.null, "tgt_tgt": pair.target}.get(name, pair.source)
        shots = pair.target_shots if name == "tgt_tgt" else pair.source_shots
        stacks = []
        for source in sources:
            text, _ = prompt_text(lexicon, names, source, concept, shots)
            head = text[: text.rindex('" - ')]  # cut right after the query word
            ids = tokenizer(head)["input_ids"]
            stacks.append(stack(network, layers, ids, len(ids) - 1))
        rows.append(torch.stack(stacks).mean(0))
    found = torch.stack(rows, dim=1)
    return found.mean(1, keepdim=True).expand_as(found) if name == "null_mean" else found

"""How long patching may take, from a short trial of two sizes.

Of one language pair's requests at n concept pairs a trial tells seconds t(n), which is a + b n:
forwards have costs that do not grow with n, so that a small trial, scaled up, says too much.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence

from meanings.measures.base import Request
from meanings.measures.timing import NOTHING, Clock, Estimate, Spent, on_a_line
from meanings.patching.conditions import condition

TRIAL_PAIRS = (4, 12)
UNPATCHED = {"layers": "from", "source_pairs": 0, "first_layers": ""}
# Requests by checkpoint: of `meanings.measures.patching.Request`.
Requests = Mapping[Hashable, Sequence[Request]]


def from_trial(
    measure: Callable[[Sequence[Request]], object],
    requests: Requests,
    clock: Clock,
    load: Spent = NOTHING,
) -> Estimate:
    """From the last group's requests with few concept pairs, at two sizes: what is fixed, what
    grows, and source prompts, which requests share.

    - `measure`: measures a group of requests to the last checkpoint.
    - `load`: what loading a checkpoint took; it is done for every checkpoint with requests.
    """
    start = clock()
    place, last = list(requests)[-1], list(requests.values())[-1][-1]
    everything = [r for each in requests.values() for r in each]
    group = [r for r in requests[place] if _group(r) == _group(last)]
    sizes = sorted({min(size, last.n_pairs) for size in TRIAL_PAIRS})
    kinds = Counter(map(_kind, everything))
    drawing, shared = NOTHING, []
    each: dict[tuple, list[tuple[int, Spent]]] = {kind: [] for kind in kinds}

    def timed(group: Sequence[Request]) -> Spent:
        begin = clock()
        measure(group)
        return clock() - begin

    for size in sizes:
        small = [_with(r, n_pairs=size) for r in group]
        # It needs concept pairs, and no source prompt.
        bare = [_with(small[0], condition="tgt_unpatched", generate=0, **UNPATCHED)]
        first = timed(bare)
        drawing = drawing + first - timed(bare)
        sources = timed(small)
        for kind in kinds:
            alike = _alike(kind, small, everything)
            if alike[0].pair != last.pair:
                timed(alike)  # its source prompts
            each[kind].append((size, timed(alike) * (1 / len(alike))))
        for request in small:
            sources = sources - each[_kind(request)][-1][1]
        shared.append((_source_prompts(small), sources))
    seeds = len({r.prompt_seed for r in everything})
    groups = len({(where, *_group(r)) for where, rs in requests.items() for r in rs})
    whole = load * len(requests) + drawing * (seeds / len(sizes))
    whole = whole + on_a_line(shared, source_prompts(requests), groups)
    for kind, count in kinds.items():
        whole = whole + on_a_line(each[kind], count * last.n_pairs, count)
    trial = clock() - start
    basis = (
        f"from a trial of {' and '.join(map(str, sizes))} concept pairs at the last missing "
        f"checkpoint that took {trial.wall:.0f} s"
    )
    return Estimate.of(whole, basis, trial.share)


def source_prompts(requests: Requests) -> int:
    """Number of source prompts: one checkpoint and prompt seed computes each once."""
    return sum(map(_source_prompts, requests.values()))


def _source_prompts(requests: Sequence[Request]) -> int:
    """Those that the requests to one checkpoint need."""
    needed = {}
    for r in requests:
        its_condition = condition(r.condition)
        if not its_condition.patched:
            continue
        if (
            r.source_pairs or its_condition.varies == "shots"
        ):  # drawn per concept: hardly any is shared
            most = its_condition.prompts_at_most(r.pair, r.seen_languages)
            count = min(r.source_pairs or most, most)
            needed[r.prompt_seed, r.pair, r.condition, r.source_pairs] = r.n_pairs * count
            continue
        role = "source" if its_condition.concept == "mean" else its_condition.concept
        for source in its_condition.source_pairs(r.pair, r.seen_languages):
            needed[r.prompt_seed, source, role, its_condition.solved] = r.n_pairs
    return sum(needed.values())


def _alike(
    kind: tuple, small: Sequence[Request], everything: Sequence[Request]
) -> Sequence[Request]:
    """Requests of a kind for the trial: the group's own, as they would be asked at other
    checkpoints, or else those of another language pair.
    """
    patched, generate = kind
    own = [r for r in small if condition(r.condition).patched == patched]
    if own:
        return [_with(r, generate=generate) for r in own]
    other = next(r for r in everything if _kind(r) == kind)
    group = [r for r in everything if _kind(r) == kind and _group(r) == _group(other)]
    return list(dict.fromkeys(_with(r, n_pairs=small[0].n_pairs) for r in group))


def _with(request: Request, **values: object) -> Request:
    return request.model_copy(update=values)


def _kind(request: Request) -> tuple[bool, int]:
    return condition(request.condition).patched, request.generate


def _group(request: Request) -> tuple:
    return request.prompt_seed, request.pair

"""Read concept vectors, write them into other prompts, and sweep the first layer that is overwritten.

    h_l[query word's last token] <- v[l]    for l = j, ..., n_layers - 1;    then read the next-token distribution

What many rows share is run once (p: the query word's last token, S: the tokens from p to the prompt's end):

    parts        how many rows a forward takes; halved where the memory does not hold them
    traces       the model run with its layers read, written or skipped: all that is asked of nnsight
    caches       keys and values that go on from a prefix which many rows share
    prefixes     the tokens before p: once for a target prompt, whatever is patched into it
    targets      p and what follows: unpatched once; the vector's own keys and values once for all j; then, for each j,
                 the tokens after p through the layers above j (one layer alone patched: p and those after it)
    generation   greedy answers, from the cache that a patched row leaves
    words        the probability of whole words, from that cache too
    reading      concept vectors' ingredients: the states of source prompts
    sweeping     all first layers, all conditions
    cost         tokens and operations that must be run, and the ratios that they allow
    remote       the same sweep, sent to a model that runs elsewhere
    selftest     whether all this does in a new model what it must
"""

from meanings.patching.reading import hidden_states
from meanings.patching.selftest import self_test
from meanings.patching.sweeping import Sweep, sweep, sweep_conditions, unpatched
from meanings.patching.words import Words

__all__ = ["Sweep", "Words", "hidden_states", "self_test", "sweep", "sweep_conditions", "unpatched"]

"""What is true of a constructed training run, and what patching must show there.

At the query word's last token a layer's output holds, in blocks of its own: the word's language,
the concept in a code private to that language (a rotation R_y of the concept's one-hot code e_c)
and, from the *meeting layer* m on, the concept in a code all languages share:

    h_l = [language y,  R_y e_c,  a_t(c) e_c if l >= m]
    a_t(c): how much of concept c is shared at checkpoint t

Layer r, the *reading layer*, copies all of it to the answer's position. What is read there is
turned into a word of the output language: the shared code directly, the private one by undoing R_y
where one language y is named. So the network translates with and without a meeting: only what
languages *share* depends on m and t. With z the concept's logit, G times its amount,

    P(c) = p(z) = e^(z + G) / ((e^z + C - 1) (e^G + Y - 1) + rest)

for C concepts, Y languages and `rest` other tokens; p(0) is about 1/C.

What the published sweep (all layers from j on overwritten) must show of the source concept:

    one language's vector (tgt, self, en_en)   j < r: p(G (1 + a_t(c)))    j >= r: nearly 0
    mean over languages (seen)                 j < r: p(G a_t(c))          j >= r: nearly 0

since averaged private codes name no language and cancel, and from r on the target's word has been
read. **This curve falls at r and is flat below
it, whatever m is**: all rows above j are overwritten too, row r - 1 is the one that is read, and it
holds the shared code if m < r. The published sweep therefore tells how long a concept can still be
replaced, and not where languages meet. One layer alone, with the layers above it left to run, tells
it:

    seen at layer l alone      p(G a_t(c)) iff m <= l < r        tgt at layer l alone: iff l < r

(`meanings.statistics.depth`). Where m >= r there is no meeting that the answer could use, and
`seen` shows none.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from meanings.core.errors import MeaningsError
from meanings.statistics.onset import crossing

GAIN = 8.0  # logit of one unit of a concept, and of the output language
STEPS = (0, 100, 200, 400, 800, 1600, 3200, 6400)
TOKENS_A_STEP = 1000
NEVER = -1


@dataclass(frozen=True)
class GroundTruth:
    """The truth of a constructed training run: where and when languages meet, and its size.

    - `meeting_layer` m, `reading_layer` r: layers from 0; at layer m the shared code appears, layer
      r reads the query word, r >= 1.
    - `meets_from`: index of the first checkpoint with a shared code (of the average concept), -1
      where there never is one.
    - `ramp`: checkpoints over which one concept comes to be shared (scale of a logistic; 0 is a
      step).
    - `scatter`: standard deviation, in checkpoints, of a concept's own moment around it.
    - `uneven`: shared amounts end anywhere between 1 - uneven and 1.

    Raises MeaningsError where a layer or checkpoint is not there.
    """

    n_layers: int = 6
    meeting_layer: int = 2
    reading_layer: int = 4
    meets_from: int = 3
    n_concepts: int = 24
    languages: tuple[str, ...] = ("en", "fr", "de", "es", "it", "pl")
    steps: tuple[int, ...] = STEPS
    ramp: float = 0.0
    scatter: float = 0.0
    uneven: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if (
            not 0 <= self.meeting_layer < self.n_layers
            or not 1 <= self.reading_layer < self.n_layers
        ):
            raise MeaningsError(
                f"meeting layer {self.meeting_layer}, reading layer {self.reading_layer}: of "
                f"{self.n_layers} layers, from 0, "
                "the first may be any and the second any but 0"
            )
        if not NEVER <= self.meets_from < len(self.steps):
            raise MeaningsError(
                f"meets_from={self.meets_from}: checkpoints run from 0 to {len(self.steps) - 1}, "
                "and -1 is never"
            )

    @property
    def concepts(self) -> tuple[str, ...]:
        """The concepts' names."""
        return tuple(f"concept{i:02}" for i in range(self.n_concepts))

    @cached_property
    def amounts(self) -> Float[np.ndarray, "checkpoint concept"]:
        """How much of each concept is shared at each checkpoint, 0 to 1: a_t(c)."""
        return self.amounts_of(self.n_concepts, self.seed)

    def amounts_of(self, n_concepts: int, seed: int) -> Float[np.ndarray, "checkpoint concept"]:
        """The amounts of any number of concepts of such a run."""
        random = np.random.Generator(np.random.PCG64([seed, 1]))
        own = self.scatter * random.standard_normal(n_concepts)
        ends = 1 - self.uneven * random.random(n_concepts)
        if self.meets_from == NEVER:
            return np.zeros((len(self.steps), n_concepts))
        since = np.arange(len(self.steps))[:, None] - (self.meets_from - 0.5) - own
        share = (
            (since > 0).astype(float) if self.ramp == 0 else 1 / (1 + np.exp(-since / self.ramp))
        )
        return ends * share

    def probability(
        self, logit: Float[np.ndarray, "..."], other_tokens: int = 0
    ) -> Float[np.ndarray, "..."]:
        """p(z), the probability of a concept's word in the output language; `other_tokens`: those
        that are no words.
        """
        each, language = np.exp(logit), np.exp(GAIN)
        return (
            each
            * language
            / ((each + self.n_concepts - 1) * (language + len(self.languages) - 1) + other_tokens)
        )

    @cached_property
    def onset(self) -> float:
        """When, in training tokens, the curve of `seen` over concepts without end has come half of
        its way: what an onset's interval must cover.

        In tokens, since the crossing is interpolated in log(1 + tokens): between 0 and the first
        checkpoint after it, steps would give another moment.
        """
        if self.meeting_layer >= self.reading_layer or self.meets_from == NEVER:
            return float("inf")
        many = self.probability(GAIN * self.amounts_of(200_000, 0)).mean(axis=1)
        return float(crossing(many[None], self.tokens.astype(float))[0])

    @property
    def tokens(self) -> Int[np.ndarray, " checkpoint"]:
        """Training tokens of each checkpoint."""
        return np.array(self.steps) * TOKENS_A_STEP

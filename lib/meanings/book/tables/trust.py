"""The published tables on the instrument itself: trials against known truth, and false claims under
shuffled labels.
"""

import pandas as pd

from meanings.measures.results import published_csv


def known_truth() -> pd.DataFrame:
    """True and reported layers, onsets (in tokens; inf = never) and coverage: the columns of
    `meanings.validity.known_truth.table`.
    """
    return published_csv("known_truth", "meanings validity known-truth")


def false_positives() -> pd.DataFrame:
    """How often each claim is made where labels were shuffled: the columns of
    `meanings.validity.false_positives.table`.
    """
    return published_csv("false_positives", "meanings validity false-positives")

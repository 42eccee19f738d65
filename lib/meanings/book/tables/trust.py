"""The published tables on the instrument itself: trials against known truth, and false claims under
shuffled labels.
"""

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder


def known_truth() -> pd.DataFrame:
    """True and reported layers, onsets (in tokens; inf = never) and coverage: the columns of
    `meanings.validity.known_truth.table`.
    """
    return _read("known_truth", "meanings validity known-truth")


def false_positives() -> pd.DataFrame:
    """How often each claim is made where labels were shuffled: the columns of
    `meanings.validity.false_positives.table`.
    """
    return _read("false_positives", "meanings validity false-positives")


def _read(name: str, command: str) -> pd.DataFrame:
    path = data_folder() / "published" / f"{name}.csv"
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise MeaningsError(
            f"{path}: cannot be read ({type(error).__name__}); make it again with '{command}'"
        ) from None

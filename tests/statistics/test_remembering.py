"""Results that are kept for the same tables."""

import pandas as pd
import pytest

from meanings.statistics.remembering import remembered


def test_the_same_table_is_computed_once_and_an_equal_one_anew():
    asked = []

    @remembered(2)
    def total(table: pd.DataFrame, column: str, times: int = 1) -> int:
        asked.append(column)
        return int(table[column].sum()) * times

    one, equal = pd.DataFrame({"a": [1, 2], "b": [3, 4]}), pd.DataFrame({"a": [1, 2], "b": [3, 5]})
    assert [total(one, "a"), total(one, "a"), total(equal, "a")] == [3, 3, 3] and len(asked) == 2
    assert total(one, "a", times=2) == 6 and total(one, "b") == 7 and len(asked) == 4
    assert total(one, "b") == 7 and len(asked) == 4
    assert total(equal, "a") == 3 and len(asked) == 5  # the oldest went
    assert total.__name__ == "total"


def test_a_table_that_is_gone_is_never_taken_for_another():
    """The kept tables are held, so that an identity is not given twice."""

    @remembered(50)
    def first(table: pd.DataFrame) -> int:
        return int(table["a"].iloc[0])

    assert [first(pd.DataFrame({"a": [n]})) for n in range(40)] == list(range(40))


def test_what_is_raised_is_raised_again():
    asked = []

    @remembered(2)
    def fails(table: pd.DataFrame) -> None:
        asked.append(1)
        raise ValueError("no")

    table = pd.DataFrame({"a": [1]})
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            fails(table)
    assert len(asked) == 2

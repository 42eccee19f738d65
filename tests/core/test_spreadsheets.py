import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanings.core.spreadsheets import harmless, harmless_column, original
from meanings.core.tables import clean

RISKY = ["=1", "+1", "-2", "@cmd", "'tis", "＝1", "＋1", "－1", "＠x", "\tx", "\nx", "'=1", "''"]


@pytest.mark.parametrize("text", RISKY)
def test_what_a_spreadsheet_would_run_is_text(text):
    assert harmless(text) == f"'{text}" and original(harmless(text)) == text


@given(st.text() | st.text(alphabet="'=+-@ a"))
def test_every_text_can_be_had_back(text):
    assert original(harmless(text)) == text


@given(st.text(alphabet="'=+-@ \ta").filter(lambda text: not text.startswith(" ")))
def test_a_text_can_be_had_back_from_a_cell_whose_white_space_was_cleaned(text):
    assert clean(original(clean(harmless(text)))) == clean(text)


@pytest.mark.parametrize("text", ["", "a=1", "'tis", "'chat' is better"])
def test_a_text_that_was_never_guarded_stays(text):
    assert original(text) == text


def test_columns_are_guarded_alike_and_missing_texts_stay_missing():
    column = pa.chunked_array([[*RISKY, None, "", "a=1"]])
    assert harmless_column(column).to_pylist() == [*map(harmless, RISKY), None, "", "a=1"]

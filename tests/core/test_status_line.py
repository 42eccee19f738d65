"""The line that says what is being done: rewritten on a terminal, now and then elsewhere."""

import io

import pytest

from meanings.core import status_line
from meanings.core.status_line import EVERY, FIRST, StatusLine, Watched


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(autouse=True)
def columns(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "20")


def test_on_a_terminal_one_line_is_rewritten_and_the_last_one_stays(clock):
    said, terminal = ["loading"], Terminal()
    with StatusLine(lambda: said[0], False, terminal, clock) as line:
        line.look()
        assert terminal.getvalue() == ""  # what fails at once fails in one line
        clock.now = FIRST
        line.look()
        said[0] = "measuring"
        line.look()  # too soon
        clock.now += 1
        line.look()
        said[0] = "done"
    assert terminal.getvalue() == "\rloading\x1b[K\rmeasuring\x1b[K\rdone\x1b[K\n"


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_elsewhere_there_is_a_plain_line_now_and_then(clock, stream, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    file = stream()
    with StatusLine(lambda: f"at {clock.now:.0f}", False, file, clock) as line:
        for share in (0.0, 0.5, 1.0, 1.5, 2.0, 2.5):
            clock.now = share * EVERY
            line.look()
    assert file.getvalue() == f"at {EVERY:.0f}\nat {2 * EVERY:.0f}\n"


def test_what_ends_at_once_and_what_has_nothing_to_say_shows_nothing(clock):
    terminal = Terminal()
    with StatusLine(lambda: "never shown", False, terminal, clock):
        pass
    clock.now = FIRST
    with StatusLine(lambda: "", False, terminal, clock) as line:
        clock.now = 2 * FIRST
        line.look()
    assert terminal.getvalue() == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb\nc", r"a\x1b[2Jb c"),
        ("\u202eevil", r"\u202eevil"),
        ("x" * 30, "x" * 19),
        ("語" * 30, "語" * 9),
    ],
)
def test_a_terminal_obeys_nothing_in_it_and_it_never_takes_two_lines(clock, text, shown):
    terminal = Terminal()
    line = StatusLine(lambda: text, False, terminal, clock)
    clock.now = FIRST
    line.look()
    assert terminal.getvalue() == f"\r{shown}\x1b[K"


def test_it_is_shown_by_itself_while_the_computation_says_nothing(monkeypatch):
    """A thread of its own looks, so that a stage of minutes is seen while it lasts."""
    monkeypatch.setattr(status_line, "EVERY", 0.0)
    asked = status_line.threading.Event()
    file = io.StringIO()
    with StatusLine(lambda: (asked.set(), "loading")[1], True, file):
        asked.wait()
    assert set(file.getvalue().splitlines()) == {"loading"}


def test_a_watched_computation_says_its_stage_and_what_is_done_of_it():
    watched = Watched("miniature en-fr")
    assert watched.text() == "miniature en-fr"
    watched.report("loading the model")
    assert watched.text() == "miniature en-fr: loading the model"
    watched.report("source states", 3, 12)
    assert watched.text() == "miniature en-fr: source states 3 of 12"

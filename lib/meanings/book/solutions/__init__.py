"""The right answers of the exercises that check themselves, and those of typical mistakes.

All are computed, and none is typed: from the numbers of an example, or from published tables, so
that they hold on a page that was made for another model, too. A module per part of the book.
"""

from meanings.book.exercises import Exercise
from meanings.book.solutions import abilities, instruments, practice, study, validity, worlds

EXERCISES: dict[str, Exercise] = {
    **study.EXERCISES,
    **validity.EXERCISES,
    **instruments.EXERCISES,
    **abilities.EXERCISES,
    **worlds.EXERCISES,
    **practice.EXERCISES,
}

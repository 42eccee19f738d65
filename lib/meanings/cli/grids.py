"""The grid that a command is given, or the default grid."""

from pathlib import Path

from meanings.core.paths import parameters_file


def grid_from(path: Path | None):
    """The grid of a file; without one the default grid's: of the checkout here or the one above
    the package, or the installed package's copy.
    """
    from meanings.study.grid import Grid, read_grid

    if path is not None:
        return read_grid(path)
    place = parameters_file("default", Path.cwd())
    return read_grid(place) if place.is_file() else Grid()

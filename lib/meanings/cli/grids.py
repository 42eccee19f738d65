"""The grid that a command is given, or the default grid."""

from pathlib import Path


def grid_from(path: Path | None):
    """The grid of a file; without one the default grid's, from the checkout here or the one above
    the package.
    """
    from meanings.study.grid import Grid, read_grid

    if path is not None:
        return read_grid(path)
    places = [
        folder / "book" / "parameters" / "default.yaml"
        for folder in (Path.cwd(), Path(__file__).resolve().parents[3])
    ]
    return next((read_grid(place) for place in places if place.is_file()), Grid())

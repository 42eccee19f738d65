"""Maximum matching of a bipartite graph, with one defined result among those that are possible.

Which of several maximum matchings is found decides which concept pairs are drawn, so the search
order is a part of the method: rows in order, columns in order, and of several rows to go on from
the one that was met last. Other implementations leave it open.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int

UNREACHED = np.iinfo(np.int32).max


def maximum_matching(edges: Bool[np.ndarray, "row column"]) -> Int[np.ndarray, " row"]:
    """The column of each row, -1 where it has none; no matching has more rows with a column.

    Hopcroft and Karp 1973: shortest augmenting paths, as many disjoint ones as are found at a time.
    """
    n_rows, n_columns = edges.shape
    nobody = n_rows  # owns every column that is free
    owner = np.full(n_columns, nobody)
    column = np.full(n_rows, -1)
    neighbours = [np.flatnonzero(row) for row in edges]
    while True:
        level = _levels(edges, owner, column)
        if level[nobody] == UNREACHED:
            return column
        for row in np.flatnonzero(column < 0):
            path = _augmenting_path(int(row), neighbours, owner, level)
            for on_path, taken in path:
                level[on_path] = UNREACHED  # a row lies on one path per round
                column[on_path], owner[taken] = taken, on_path


def _levels(
    edges: Bool[np.ndarray, "row column"],
    owner: Int[np.ndarray, " column"],
    column: Int[np.ndarray, " row"],
) -> Int[np.ndarray, " row_or_nobody"]:
    """How many matched columns must be given up to reach a row from some row without a column; the
    last entry is that of free columns.
    """
    nobody = len(column)
    level = np.full(nobody + 1, UNREACHED)
    frontier, steps = np.flatnonzero(column < 0), 0
    level[frontier] = 0
    while len(frontier) and level[nobody] == UNREACHED:
        reached = np.unique(owner[edges[frontier].any(axis=0)])
        frontier, steps = reached[level[reached] == UNREACHED], steps + 1
        level[frontier] = steps
    return level


def _augmenting_path(
    start: int,
    neighbours: list[Int[np.ndarray, " _"]],
    owner: Int[np.ndarray, " column"],
    level: Int[np.ndarray, " row_or_nobody"],
) -> list[tuple[int, int]]:
    """Rows with the columns that they take, from a free column back to `start`; empty where there
    is none of the shortest length.
    """
    nobody = len(level) - 1
    came_by: dict[int, tuple[int, int]] = {}  # the row before a row, and the column between them
    stack = [start]
    while stack:
        row = stack.pop()
        columns = neighbours[row]
        nearer = columns[level[owner[columns]] == level[row] + 1]
        for taken, other in zip(nearer.tolist(), owner[nearer].tolist(), strict=True):
            if other == nobody:
                path = [(row, taken)]
                while row != start:
                    row, taken = came_by[row]
                    path.append((row, taken))
                return path
            stack.append(other)
            came_by[other] = (row, taken)
    return []

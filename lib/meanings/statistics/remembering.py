"""Results that several claims of one table need, computed once.

Tables are told apart by identity and not by content, which would cost as much as computing anew. So
neither a remembered table nor a result may be written to.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import pandas as pd

P = ParamSpec("P")
R = TypeVar("R")


def remembered(size: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A function of tables and plain values that keeps its last `size` results, and their tables.

    What is raised is not kept.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        kept: OrderedDict[Hashable, tuple[Any, R]] = OrderedDict()

        @wraps(function)
        def of(*args: P.args, **kwargs: P.kwargs) -> R:
            given = (*args, *(part for item in sorted(kwargs.items()) for part in item))
            key = tuple(("table", id(a)) if isinstance(a, pd.DataFrame) else a for a in given)
            if key in kept:
                kept.move_to_end(key)
                return kept[key][1]
            found = function(*args, **kwargs)
            kept[key] = (given, found)  # held, so that no other table gets its identity
            if len(kept) > size:
                kept.popitem(last=False)
            return found

        return of

    return decorate

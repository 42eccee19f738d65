"""Types checked at every call of the library: `jaxtyped` for functions that name axes, beartype
alone for all others.

`jaxtyped` binds the arguments of each call to names, which costs more than most functions do, and
only an axis needs it: without one, beartype checks the same types at a hundredth of the price.
"""

import dataclasses
import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, get_args, get_type_hints

import jaxtyping
from beartype import BeartypeConf, beartype
from jaxtyping import AbstractArray, TypeCheckError, install_import_hook

_jaxtyped = jaxtyping.jaxtyped
ALIKE = BeartypeConf(violation_type=TypeCheckError)  # both say the same, which is a TypeError


def install(package: str) -> None:
    """Check the functions and dataclasses of a package; call it before the package's first
    import.
    """
    jaxtyping.jaxtyped = checked  # the decorator that the hook writes into each module
    install_import_hook(package, "beartype.beartype")


def checked(thing: Any = None, *, typechecker: Callable = beartype) -> Any:
    """Decorate a function, or a dataclass, whose `__init__` is checked."""
    if thing is None:
        return partial(checked, typechecker=typechecker)
    if inspect.isclass(thing):
        if dataclasses.is_dataclass(thing) and "__init__" in vars(thing):
            thing.__init__ = checked(thing.__init__, typechecker=typechecker)
        return thing
    if not inspect.isfunction(thing):
        return _jaxtyped(thing, typechecker=typechecker)
    hints = {name: resolved(hint, thing) for name, hint in thing.__annotations__.items()}
    if any(map(names_axes, hints.values())):
        return _jaxtyped(thing, typechecker=typechecker)
    written, thing.__annotations__ = thing.__annotations__, hints
    try:
        return beartype(thing, conf=ALIKE)
    finally:
        thing.__annotations__ = written


def resolved(hint: Any, function: Callable) -> Any:
    """A type that may be written as text; `Any` where its name is not there at run time."""

    def of(value: hint) -> None: ...

    try:
        return get_type_hints(of, function.__globals__, include_extras=True)["value"]
    except Exception:  # as jaxtyping does
        return Any


def names_axes(hint: Any) -> bool:
    """Whether an array's axes are part of the type."""
    if isinstance(hint, list):  # the arguments of a `Callable`
        return any(map(names_axes, hint))
    if inspect.isclass(hint) and issubclass(hint, AbstractArray):
        return True
    return any(map(names_axes, get_args(hint)))

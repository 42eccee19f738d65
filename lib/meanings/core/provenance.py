"""What a number may depend on beside what was asked: the versions of Python and the libraries."""

from importlib.metadata import PackageNotFoundError, version
from platform import python_version

VERSIONS = ("meanings", "torch", "transformers", "tokenizers", "nnsight", "numpy")


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that a number may depend on."""
    found = {"python": python_version()}
    for name in VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found

"""YAML files that users write: lines `name: value`, each name once."""

from pathlib import Path

import yaml

from meanings.errors import MeaningsError


def read_mapping(path: Path) -> dict:
    """The names and values of a YAML file; an empty file has none.

    Raises MeaningsError, one line, where it cannot be read, is no YAML, holds something else, or has a name twice.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_NoDuplicates)
    except (OSError, UnicodeDecodeError) as error:
        raise MeaningsError(f"{path}: cannot be read ({type(error).__name__}); expected a YAML file with lines `name: value`") from None
    except yaml.YAMLError as error:
        raise MeaningsError(f"{path}: no YAML: {' '.join(str(error).split())}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise MeaningsError(f"{path}: expected lines `name: value`, found {type(content).__name__}")
    return content


class _NoDuplicates(yaml.SafeLoader):
    """YAML in which a name that occurs twice is an error, not the last one's value."""

    def construct_mapping(self, node, deep=False):
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        for name in names:
            if names.count(name) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{name!r} occurs twice", node.start_mark)
        return super().construct_mapping(node, deep)

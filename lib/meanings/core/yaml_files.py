"""YAML files that users write: lines `name: value`, each name once."""

from pathlib import Path

import yaml

from meanings.core.errors import MeaningsError

MAX_BYTES = 2**20  # a larger file is no list of parameters, and would be slow to refuse


def read_mapping(path: Path) -> dict:
    """The names and values of a YAML file; an empty file has none.

    Raises MeaningsError, one line, where it cannot be read, is no YAML, holds something else, has a
    name twice, or refers from one value to another, which could grow without bound.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise IsADirectoryError
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        large = len(raw) > MAX_BYTES
        content = None if large else yaml.load(raw.decode("utf-8"), Loader=_NoDuplicates)
    except (OSError, UnicodeDecodeError) as error:
        raise MeaningsError(
            f"{path}: cannot be read ({type(error).__name__}); expected a YAML file, in UTF-8, "
            "with lines `name: value`"
        ) from None
    except yaml.YAMLError as error:
        raise MeaningsError(f"{path}: no YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise MeaningsError(
            f"{path}: no YAML: nested too deep; expected lines `name: value`"
        ) from None
    except (
        ValueError
    ) as error:  # a day or a number that does not exist, which the YAML library lets through
        raise MeaningsError(
            f"{path}: no YAML: a value cannot be read ({error}); put text in quotes, and write "
            "numbers in a few digits"
        ) from None
    if large:
        raise MeaningsError(
            f"{path}: too large; expected a YAML file of at most {MAX_BYTES >> 20} MiB"
        )
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise MeaningsError(f"{path}: expected lines `name: value`, found {type(content).__name__}")
    return content


class _NoDuplicates(yaml.SafeLoader):
    """YAML in which a name that occurs twice is an error, not the last one's value, and no value
    refers to another.
    """

    def compose_node(self, parent, index):
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise yaml.composer.ComposerError(
                None, None, f"a reference, *{event.anchor}: write the value out", event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node, deep=False):
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        for name in names:
            if isinstance(name, list | dict | set):
                raise yaml.constructor.ConstructorError(
                    None,
                    None,
                    f"{name!r} is no name: expected lines `name: value`",
                    node.start_mark,
                )
            if names.count(name) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{name!r} occurs twice", node.start_mark
                )
        return super().construct_mapping(node, deep)

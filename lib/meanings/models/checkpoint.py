"""A model at one moment of its training: its files here or on the hub, and their identity."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from meanings.core.errors import MeaningsError


@dataclass(frozen=True)
class Checkpoint:
    """A model at one moment of its training.

    - `step`: optimiser steps done, 0 is before training; `tokens`: tokens seen.
    - `path`: folder of a local checkpoint; else `source` at `revision` on the hub, which was
      `commit` when it was listed, and there `subfolder`, empty for the repository's root.
    - `tokenizer`: folder of a local checkpoint's tokenizer, where it does not lie beside the
      weights.
    """

    model: str
    training_seed: int
    step: int
    tokens: int
    path: Path | None = None
    source: str | None = None
    revision: str | None = None
    commit: str | None = None
    tokenizer: Path | None = None
    subfolder: str = ""

    @property
    def origin(self) -> dict[str, str]:
        """Where it was taken from, for the provenance: nothing of a local path, which says nothing
        elsewhere.
        """
        found = {
            "source": self.source,
            "revision": self.revision,
            "commit": self.commit,
            "subfolder": self.subfolder or None,
        }
        return {name: value for name, value in found.items() if value is not None}

    @property
    def is_here(self) -> bool:
        """Whether its weights are on this machine."""
        if self.source is None:
            return self.path is not None and any(self.path.glob("*.safetensors"))
        from meanings.models.hub_cache import has_weights

        here = _cached(self.source).get(str(self.commit), {})
        return has_weights(self.source, str(self.commit), self.subfolder, here)

    @contextmanager
    def held(self, *, drop: bool = False) -> Iterator[None]:
        """While it is in use; with `drop`, one of the hub leaves the cache afterwards unless
        another run still uses it.
        """
        if self.source is None or self.commit is None:
            yield
            return
        from meanings.models.hub_cache import held

        with held(self.source, self.commit, drop=drop, folder=self.subfolder):
            yield

    def fetched(self) -> tuple[Path, Path | None]:
        """Its folder, and that of its tokenizer where it does not lie beside the weights; fetched
        where they are not on this machine.
        """
        if self.source is None:
            return Path(str(self.path)), self.tokenizer
        from meanings.models.hub import fetch

        folder = fetch(self.source, self.revision, self.commit, self.subfolder)
        beside = (folder / "tokenizer.json").is_file()
        return folder, None if beside else self.tokenizer_folder()

    def tokenizer_folder(self) -> Path:
        """The folder of its tokenizer, which alone is fetched where it is not on this machine."""
        if self.source is None:
            return self.tokenizer or Path(str(self.path))
        from meanings.models.hub import fetch_tokenizer

        return fetch_tokenizer(self.source, self.revision, str(self.commit), self.subfolder)

    def load(self, *, dtype: str = "float32", device: str = "auto", way: str = "agreed"):
        """The PatchableModel of this checkpoint, fetched first where it is not on this machine; its
        tokenizer is read in this `way`.

        torch is imported here, so that listing steps needs none.
        """
        from meanings.models.weights import check_shipped

        folder, tokenizer = self.fetched()
        check_shipped(folder)
        from meanings.models.loading import load_model

        return load_model(
            folder,
            dtype=dtype,
            device=device,
            name=self.model,
            tokenizer=tokenizer,
            way=way,
        )


@lru_cache
def _cached(name: str) -> dict[str, dict[str, int]]:
    from meanings.models.hub_cache import cached

    return cached(name)


def weights_identity(checkpoint: Checkpoint) -> str:
    """SHA-256 of the weights of a local checkpoint; of source, commit and subfolder of one on the
    hub, which name its content.
    """
    if checkpoint.path is None:
        below = f"/{checkpoint.subfolder}" if checkpoint.subfolder else ""
        named = f"{checkpoint.source}@{checkpoint.commit}{below}"
        return hashlib.sha256(named.encode()).hexdigest()
    from meanings.models.weights import hash_weights

    try:
        return hash_weights(checkpoint.path)
    except OSError as error:
        raise MeaningsError(
            f"{checkpoint.path}: the checkpoint cannot be read ({error.strerror}: "
            f"{Path(error.filename or '').name}); copy or fetch the folder again"
        ) from None

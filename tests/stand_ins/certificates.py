"""Real certificates, made with openssl where it is installed."""

import shutil
import subprocess
from pathlib import Path

import pytest


def make_certificates(folder: Path) -> Path:
    """Write `cert.pem`, which signs itself, and `key.pem`; the folder."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder.mkdir(exist_ok=True)
    named = ["-subj", "/CN=meanings"]
    made = ["-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *named, *made],
        check=True,
        capture_output=True,
    )
    return folder

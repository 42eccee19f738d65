"""Fixtures: a tiny random Llama with grouped-query attention, a tiny byte-level BPE tokenizer and a
tiny lexicon.
"""

import os
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # no test may ask the network
if "PYTEST_XDIST_WORKER" in os.environ:  # as many processes as cores: each computes in one thread
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from jaxtyping import install_import_hook

install_import_hook("meanings", "beartype.beartype")  # before the first import of the library

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from stand_ins import small_model  # noqa: E402
from stand_ins.certificates import make_certificates  # noqa: E402

# No test depends on how fast the machine is.
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any")

# What `make test-fast` leaves out: files, and single tests, that take long.
SLOW = (
    "bench/test_bench.py",
    "bench/test_scale.py",
    "book/test_notebooks.py",
    "pages/test_pages.py",
    "study/test_executors.py",
    "study/test_kills.py",
    "study/test_tls.py",
    "validity/test_known_truth.py",
    "measures/test_results.py::test_twenty_published_cells_are_measured_again",
)


def pytest_collection_modifyitems(items):
    """Mark what is slow."""
    for item in items:
        if item.nodeid.removeprefix("tests/").startswith(SLOW):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def lexicon():
    return small_model.lexicon()


@pytest.fixture(scope="session")
def tokenizer(lexicon):
    return small_model.tokenizer(lexicon)


@pytest.fixture(scope="session")
def model(tokenizer):
    return small_model.model(tokenizer)


@pytest.fixture(scope="session")
def concept_pairs(lexicon, tokenizer):
    return small_model.concept_pairs(lexicon, tokenizer)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    """Open figures of other tests would add up to pyplot's warning."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")

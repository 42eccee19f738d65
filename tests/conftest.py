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

from meanings.core import status_line  # noqa: E402
from stand_ins import small_model  # noqa: E402
from stand_ins.certificates import make_certificates  # noqa: E402

# No test depends on how fast the machine is: neither on the time that Hypothesis would allow nor on
# whether what is done lasts long enough to be told.
status_line.FIRST = status_line.EVERY = 1e6
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any")

# What `make test-fast` leaves out: files, and single tests, that take long.
SLOW = (
    "bench/",
    "book/test_book.py",
    "book/test_chapters.py",
    "book/test_facts.py",
    "book/test_figures.py",
    "book/test_notebooks.py",
    "book/test_page_tables.py",
    "cli/test_bad_inputs.py",
    "cli/test_cli.py",
    "core/test_house.py::test_a_light_room",
    "lexicon/test_lexicon.py::test_the_embedded_lexicon_agrees",
    "measures/test_results.py::test_all_published_keys",
    "measures/test_results.py::test_twenty_published_cells",
    "miniature/",
    "models/test_loading.py::test_other_architectures",
    "pages/",
    "patching/test_batching.py",
    "patching/test_engine_options.py",
    "patching/test_source_prompts.py",
    "prompts/test_seeded.py",
    "prompts/test_shared.py",
    "statistics/test_bootstrap.py",
    "statistics/test_sensitivity.py::test_every_factor",
    "study/test_budget.py",
    "study/test_executors.py",
    "study/test_export.py",
    "study/test_kills.py",
    "study/test_run.py",
    "study/test_tls.py",
    "validity/test_known_truth.py",
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

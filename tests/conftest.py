"""Fixtures: a tiny random Llama with grouped-query attention, a tiny byte-level BPE tokenizer and a
tiny lexicon.

Nothing here imports torch at the top: the process that hands out the tests reads this file before
it starts those that run them.
"""

import gc
import os
import sys

from threadpoolctl import threadpool_limits

gc.disable()  # until all is imported; see pytest_collection_finish
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # no test may ask the network
if "PYTEST_XDIST_WORKER" in os.environ:  # as many processes as cores: each computes in one thread
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    threadpool_limits(1)  # of libraries that a plugin has loaded before

from stand_ins import type_checks  # noqa: E402

type_checks.install("meanings")  # before the first import of the library

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from meanings.core import status_line  # noqa: E402
from stand_ins.slow_tests import SLOW  # noqa: E402

# No test depends on how fast the machine is: neither on the time that Hypothesis would allow nor on
# whether what is done lasts long enough to be told.
status_line.FIRST = status_line.EVERY = 1e6
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any")


def pytest_collection_finish():
    """What is loaded stays: no collection of garbage looks at it again, and there are fewer."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()


def pytest_collection_modifyitems(items):
    """Mark what is slow."""
    for item in items:
        if item.nodeid.removeprefix("tests/").startswith(SLOW):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def lexicon():
    from stand_ins import small_model

    return small_model.lexicon()


@pytest.fixture(scope="session")
def tokenizer(lexicon):
    from stand_ins import small_model

    return small_model.tokenizer(lexicon)


@pytest.fixture(scope="session")
def model(tokenizer):
    from stand_ins import small_model

    return small_model.model(tokenizer)


@pytest.fixture(scope="session")
def concept_pairs(lexicon, tokenizer):
    from stand_ins import small_model

    return small_model.concept_pairs(lexicon, tokenizer)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    from stand_ins.certificates import make_certificates

    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    """Open figures of other tests would add up to pyplot's warning."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")

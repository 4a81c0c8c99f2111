"""One thread a test process (several run side by side), and a store of its own, for every test."""

import os

import pytest

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def pytest_runtest_setup(item):
    """Skip what is marked `sandbox` where there is none."""
    if item.get_closest_marker("sandbox"):
        from outgrow.core.errors import UserError
        from outgrow.verifiers.sandbox.runner import find

        try:
            find()
        except UserError as error:
            pytest.skip(f"no sandbox here: {error}")


@pytest.fixture(autouse=True)
def _heard():
    """Progress goes to standard error again after a test of --quiet."""
    from outgrow.core import progress

    yield
    progress.heard_by(None)


@pytest.fixture(scope="module")
def causal(tmp_path_factory):
    """A folder with a random causal model of a few thousand numbers."""
    import tiny_models

    return tiny_models.save(tmp_path_factory.mktemp("causal"), encoder=False)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store that the tests of a module share."""
    from outgrow.store import Store

    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def model(causal, store):
    """The random causal model, as the store knows it."""
    from outgrow import models

    return models.resolve(str(causal), store)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """The same for an encoder."""
    import tiny_models

    return tiny_models.save(tmp_path_factory.mktemp("encoder"), encoder=True)


@pytest.fixture(scope="module")
def float32():
    """The precision that every machine has, for tests that compare with plain arithmetic."""
    from outgrow.models import loader

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loader, "chosen_precision", lambda asked=None: asked or "float32")
        yield

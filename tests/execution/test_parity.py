"""Planned answers and executed answers are the same bytes, for thousands of operations made from the schema.

`make test` spends a fixed number of documents; `make test-parity N=100000` as many as one likes. A failure names its seed,
which `SEED=… make test-parity N=1` runs again.
"""

import gc

import pytest

from tests.execution.comparing import Comparer
from tests.execution.world import World


# graphql-core leaves siblings of a failed field unawaited; that is the ordinary executor's own matter.
@pytest.mark.filterwarnings(
    "ignore:coroutine '.*' was never awaited", "ignore::pytest.PytestUnraisableExceptionWarning"
)
async def test_generated_operations(comparer: Comparer, world: World, pytestconfig: pytest.Config) -> None:
    first, documents = pytestconfig.getoption("--parity-seed"), pytestconfig.getoption("--parity")
    for seed in range(first, first + documents):
        await comparer.seed(seed, world)
    gc.collect()  # so that what the executor left unawaited is told here
    print(f"\nparity, seeds {first} to {first + documents - 1}: {comparer.report()}")  # noqa: T201
    assert comparer.invalid < documents / 4

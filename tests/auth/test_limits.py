"""The limits are exact, in one process and over many, and a client that obeys Retry-After gets its quota."""

import asyncio
import sys
from time import perf_counter, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.shared_limits import run_valkey
from auth.limits import SECOND, Policy, ProcessLimiter
from auth.limits_valkey import ValkeyLimiter

SMALL = {"default": Policy("default", 5, 60)}


class Clock:
    """Time that moves when told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return round(self.now * SECOND)

    async def sleep(self, seconds):
        self.now += seconds

    def limiter(self, policies=None, **more):
        return ProcessLimiter(policies, clock=self, sleep=self.sleep, **more)


async def asked(limiter, clock):
    """What a client meets: the admission, after having been held where it was."""
    return limiter.admit_now("c", "default") or await limiter.admit("c", "default")


@settings(max_examples=200)
@given(st.lists(st.floats(0, 30), min_size=1, max_size=200))
async def test_no_window_of_sixty_seconds_holds_more_than_the_quota(waits):
    clock, admitted = Clock(), []
    limiter = clock.limiter(SMALL)
    for wait in waits:
        clock.now += wait
        if (await asked(limiter, clock)).allowed:
            admitted.append(clock())
        else:  # not stricter than promised either
            assert len([time for time in admitted if time > clock() - 60 * SECOND]) == 5
    for end in admitted:
        assert len([time for time in admitted if end - 60 * SECOND < time <= end]) <= 5


@settings(max_examples=200)
@given(st.lists(st.floats(0.001, 20), min_size=50, max_size=200))
async def test_who_waits_as_told_is_not_refused_again(waits):
    clock = Clock()
    limiter = clock.limiter(SMALL)
    for wait in waits:
        clock.now += wait
        admission = await asked(limiter, clock)
        if not admission.allowed:
            clock.now += admission.retry_after
            assert (await asked(limiter, clock)).allowed


@pytest.mark.parametrize("pace", [0.001, 0.003, 0.0051, 0.0059, 0.0061, 0.0099, 0.1, 0.3, 0.59])
async def test_an_obedient_client_gets_99_percent(pace):
    clock, admitted = Clock(), 0
    limiter = clock.limiter()
    start = clock.now
    while clock.now < start + 36_000:
        admission = await asked(limiter, clock)
        admitted += admission.allowed
        clock.now += pace if admission.allowed else admission.retry_after
    assert admitted >= 0.99 * 100 * 600


def test_headers_are_those_of_the_draft():
    clock = Clock()
    limiter = clock.limiter()
    first = limiter.admit_now("c", "default")
    assert first == (True, b'"default";q=100;w=60', b'"default";r=99;t=60', 0)
    clock.now += 30
    for _ in range(99):
        assert limiter.admit_now("c", "default").allowed
    assert limiter.admit_now("c", "default") == (False, b'"default";q=100;w=60', b'"default";r=0;t=30', 30)
    assert limiter.admit_now("d", "default").allowed
    assert limiter.admit_now("b", "burst").policy_header == b'"burst";q=1000;w=60'
    assert limiter.admit_now("i", "internal") == (True, b"", b"", 0)


def test_a_change_of_tier_forgets_nothing():
    limiter = Clock().limiter()
    for _ in range(150):
        assert limiter.admit_now("c", "burst").allowed
    assert not limiter.admit_now("c", "default").allowed
    assert limiter.admit_now("c", "burst").allowed


def test_idle_clients_are_forgotten():
    clock = Clock()
    limiter = clock.limiter(keep=100)
    for number in range(100):
        limiter.admit_now(f"c{number}", "default")
    clock.now += 61
    limiter.admit_now("new", "default")
    assert len(limiter._windows) == 1


def test_an_admission_is_cheap():
    limiter = ProcessLimiter()
    rounds = []
    for _ in range(20):  # the quickest: the machine has other work, too
        started = perf_counter()
        for _ in range(1_000):
            limiter.admit_now("c", "burst")
        rounds.append(perf_counter() - started)
    assert min(rounds) / 1_000 < 20e-6


@pytest.fixture(scope="module")
def valkey(tmp_path_factory):
    with run_valkey(tmp_path_factory.mktemp("v")) as url:
        yield url


async def test_processes_that_share_a_valkey_share_the_quota(valkey):
    limiters = [ValkeyLimiter(valkey, timeout=5) for _ in range(4)]
    admissions = await asyncio.gather(*(one.admit("shared", "default") for _ in range(40) for one in limiters))
    assert sum(admission.allowed for admission in admissions) == 100
    refused = await limiters[0].admit("shared", "default")
    assert refused.limit_header.startswith(b'"default";r=0;t=')
    assert 1 <= refused.retry_after <= 60
    assert (await limiters[1].admit("other", "default")).limit_header == b'"default";r=99;t=60'
    for one in limiters:
        assert not one.degraded
        await one.close()


async def test_the_shared_window_slides(valkey):
    limiter = ValkeyLimiter(valkey, policies={"default": Policy("default", 5, 1)}, timeout=5)
    admitted = []
    loop = asyncio.get_running_loop()
    end = loop.time() + 3
    while loop.time() < end:
        if (await limiter.admit("slides", "default")).allowed:
            admitted.append(loop.time())
        await asyncio.sleep(0.01)
    assert 14 <= len(admitted) <= 20
    for moment in admitted:
        assert len([time for time in admitted if moment - 0.98 < time <= moment]) <= 5
    await limiter.close()


async def test_without_valkey_each_process_keeps_to_its_share_after_a_quiet_minute():
    """What was admitted before by others is not known, and has left every window then."""
    clock = Clock()
    limiter = ValkeyLimiter("unix:///nowhere/at/all", shares=4, clock=lambda: clock.now)
    refused = await limiter.admit("c", "default")
    assert (refused.allowed, refused.retry_after) == (False, 60)
    assert limiter.degraded
    assert not await limiter.ping()
    clock.now += 60
    admissions = [await limiter.admit("c", "default") for _ in range(100)]
    assert sum(admission.allowed for admission in admissions) == 25
    await limiter.close()


async def test_a_valkey_that_was_away_for_a_moment_costs_nothing(tmp_path):
    """Its memory is whole, so it decides again at once."""
    policies = {"default": Policy("default", 10, 60)}
    limiter = ValkeyLimiter(f"unix://{tmp_path}/valkey", policies=policies, timeout=5)
    with run_valkey(tmp_path):
        assert (await limiter.admit("c", "default")).allowed
        limiter._lost()  # as an error of the network would have it
        assert not (await limiter.admit("c", "default")).allowed
        await asyncio.sleep(1.1)
        admissions = [await limiter.admit("c", "default") for _ in range(20)]
        assert sum(admission.allowed for admission in admissions) == 9
    await limiter.close()


async def test_the_share_goes_by_the_processes_of_all_hosts(tmp_path):
    clock = Clock()
    limiters = [
        ValkeyLimiter(f"unix://{tmp_path}/valkey", shares=2, timeout=5, clock=lambda: clock.now) for _ in range(5)
    ]
    with run_valkey(tmp_path):
        for one in limiters:
            await one.admit("other", "default")
        clock.now += 30
        await limiters[0].admit("other", "default")
    await limiters[0].admit("c", "default")
    clock.now += 61
    admissions = [await limiters[0].admit("c", "default") for _ in range(100)]
    assert sum(admission.allowed for admission in admissions) == 100 // 5
    for one in limiters:
        await one.close()


async def test_no_window_holds_more_than_the_quota_while_valkey_is_killed_and_comes_back_empty(tmp_path):
    """Three processes under load, each asking for the same client as fast as it can. A window of 1 s stands for the minute."""
    quota, window, seconds = 30, 1, 8
    ready = asyncio.Event()

    async def hammer():
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.auth.hammer", f"unix://{tmp_path}/valkey"),
            *("3", str(seconds), str(quota), str(window)), stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        ready.set()
        out, _ = await process.communicate()
        return [float(line) for line in out.split()]

    with run_valkey(tmp_path):
        hammers = [asyncio.create_task(hammer()) for _ in range(3)]
        await ready.wait()
        await asyncio.sleep(2.5)
    gone = time()
    await asyncio.sleep(2.5)
    with run_valkey(tmp_path):
        back = time()
        times = sorted(moment for moments in await asyncio.gather(*hammers) for moment in moments)
    # Valkey's clock, and those of the processes, see an admission a moment apart.
    fullest = max(len([one for one in times if moment - window + 0.05 < one <= moment]) for moment in times)
    assert fullest <= quota
    for start, end in ((gone - 1.5, gone), (gone + window, back), (back + window, times[-1])):
        assert [one for one in times if start < one <= end], "it never closes it for good either"
    quiet = [one for one in times if gone + 0.1 < one < gone + window - 0.1]
    assert quiet == []

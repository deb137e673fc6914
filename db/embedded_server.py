"""One PostgreSQL server: how its cluster is made, what it is set to, when it is ready."""

import contextlib
import fcntl
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path

from db.embedded_folder import SOCKET, EmbeddedError, Folder, State, speaks_plainly
from db.embedded_processes import DATA, LINUX, Account, Processes, account_of, borrow_programs

ROLE = "fshnista"
MAJOR = "18"
RUN_PREFIX = "fshnista-"

# The one way in: a socket in the cluster's own 0700 folder, and a password besides, since as root PostgreSQL runs as
# `nobody`, an account that other programs may share.
HBA = f"local all {ROLE} scram-sha-256\n"

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_directories": ".",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "random_page_cost": "1.1",
    # Nobody replicates from here: less is written, and fewer processes idle.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "io_method": "sync",
    # What an error says in detail may be somebody's e-mail address.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
    # After a crash all files are brought to the disk first: one call instead of one a file, 0.1 s instead of seconds.
    **({"recovery_init_sync_method": "syncfs"} if LINUX else {}),
}
FORGETFUL = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}

INITDB = [
    *("initdb", "-D", DATA, "--username=postgres", "--auth-local=peer", "--auth-host=reject", "--encoding=UTF8"),
    *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync", "--no-instructions"),
]
# Stretching is for passwords that one can guess; of 192 random bits it would only slow every connection down.
SINGLE_USER = [
    *("postgres", "--single", "-F", "-D", DATA, "-c", "scram_iterations=1", "-c", "exit_on_error=on"),
    *("-c", "log_checkpoints=off", "postgres"),
]
WRITE_HBA = ["/bin/sh", "-c", 'cat >"$0/pg_hba.conf"', DATA]

# The rights that a managed PostgreSQL gives: what works here works there. Single-user mode takes a statement a line.
NEW_CLUSTER = """\
CREATE ROLE {role} LOGIN CREATEDB PASSWORD '{password}'
GRANT pg_monitor, pg_signal_backend, pg_checkpoint TO {role}
CREATE DATABASE {role} OWNER {role}
"""
NEW_PASSWORD = "ALTER ROLE {role} PASSWORD '{password}'\n"  # noqa: S105 (a statement, not a password)


class Server:
    """The server of one folder, run by the process that makes this object."""

    def __init__(self, folder: Folder, *, programs: Path, temporary: Path, durable: bool) -> None:
        self._folder = folder
        self._programs = programs
        self._temporary = temporary
        self._durable = durable
        self._account = account_of(folder.data)
        self._run_folder = ""
        self.processes = Processes(folder, self._account, programs)

    def prepare(self) -> None:
        """Clears away what dead predecessors left and makes the cluster where there is none."""
        os.close(self.processes.claim())
        self._remove_leftovers()
        self._tell()
        self._make_run_folder()
        password, is_new = self._folder.password()
        if not self._has_cluster():
            self._make_cluster(password)
        elif is_new:
            self.processes.run(SINGLE_USER, self._folder.data, NEW_PASSWORD.format(role=ROLE, password=password))

    def launch(self) -> None:
        """Starts PostgreSQL. Returns once it takes connections; raises EmbeddedError where it ends before."""
        self._tell()
        os.close(self.processes.claim())
        # The lock was free, so no process of this cluster lives, whoever has the numbers in these files by now.
        for stale in (self._pid_file, self._folder.data / f"{SOCKET}.lock"):
            stale.unlink(missing_ok=True)
        settings = SETTINGS | ({} if self._durable else FORGETFUL)
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        child = self.processes.spawn(["postgres", "-D", DATA, *words], self._folder.data)
        while not self._is_ready(child.pid):
            if child.poll() is not None:
                raise EmbeddedError(f"PostgreSQL ended with code {child.returncode} while starting")
            time.sleep(0.003)
        self._tell(postmaster=child.pid, host=self._host)

    def clear(self) -> None:
        """Removes what belongs to this run alone."""
        self._folder.forget_state()
        if self._run_folder:
            shutil.rmtree(self._run_folder, ignore_errors=True)

    @property
    def _pid_file(self) -> Path:
        return self._folder.data / "postmaster.pid"

    @property
    def _host(self) -> str:
        data = self._folder.data
        return str(data) if speaks_plainly(data) else f"{self._run_folder}/data"

    def _tell(self, *, postmaster: int = 0, host: str = "") -> None:
        self._folder.write_state(State(os.getpid(), postmaster, host, self._run_folder))

    def _is_ready(self, pid: int) -> bool:
        try:
            lines = self._pid_file.read_text("utf-8").splitlines()
        except (FileNotFoundError, UnicodeDecodeError):
            return False
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _has_cluster(self) -> bool:
        data = self._folder.data
        version = data / "PG_VERSION"
        if version.exists():
            if version.read_text("ascii").strip() != MAJOR:
                raise EmbeddedError(
                    f"{data} is of PostgreSQL {version.read_text('ascii').strip()}, this one is {MAJOR}"
                )
            return True
        if data.exists() and any(data.iterdir()):
            raise EmbeddedError(f"{data} is not a PostgreSQL folder, it has no PG_VERSION: move it away to begin anew")
        return False

    def _make_cluster(self, password: str) -> None:
        new = self._folder.unfinished
        new.mkdir(mode=0o700)
        if self._account:
            os.chown(new, self._account.uid, self._account.gid)
        self.processes.run(INITDB, new)
        # Its owner writes it: root must not write where another user could have laid a link.
        self.processes.run(WRITE_HBA, new, HBA)
        self.processes.run(SINGLE_USER, new, NEW_CLUSTER.format(role=ROLE, password=password))
        new.rename(self._folder.data)
        if self._durable:
            threading.Thread(target=_flush, args=(self._folder.data,), daemon=True).start()

    def _remove_leftovers(self) -> None:
        old = self._folder.state()
        if old and Path(old.run).name.startswith(RUN_PREFIX):
            shutil.rmtree(old.run, ignore_errors=True)
        if self._folder.unfinished.exists():
            shutil.rmtree(self._folder.unfinished)

    def _make_run_folder(self) -> None:
        """A temporary folder, where the data's path is no good name for a socket or the programs are out of reach."""
        account, data = self._account, self._folder.data
        must_borrow = account is not None and not account.reaches(self._programs / "postgres")
        if speaks_plainly(data) and not must_borrow:
            return
        self._run_folder = tempfile.mkdtemp(prefix=RUN_PREFIX, dir=self._room_for_run())
        Path(self._run_folder).chmod(0o755)
        self._tell()
        _keep_from_cleaners(self._run_folder)
        (Path(self._run_folder) / "data").symlink_to(data)
        if must_borrow:
            self.processes.programs = borrow_programs(self._programs, Path(self._run_folder) / "programs")

    def _room_for_run(self) -> Path:
        rooms = [self._temporary, Path("/tmp"), Path("/var/tmp")]  # noqa: S108 (mkdtemp makes the name)
        # On the programs' own disk they are linked and not copied, which takes seconds.
        for room in sorted(
            filter(Path.is_dir, rooms), key=lambda room: room.stat().st_dev != self._programs.stat().st_dev
        ):
            if speaks_plainly(room / f"{RUN_PREFIX}12345678" / "data") and _is_open_to(self._account, room):
                return room
        raise EmbeddedError(
            f"no temporary folder has a name short enough for a socket: {self._temporary}, /tmp, /var/tmp"
        )


def _is_open_to(account: Account | None, room: Path) -> bool:
    return os.access(room, os.W_OK) and (account is None or account.reaches(room))


def _keep_from_cleaners(folder: str) -> None:
    """Holds a lock on the folder to the end of this process: systemd-tmpfiles leaves locked folders alone."""
    fcntl.flock(os.open(folder, os.O_RDONLY | os.O_CLOEXEC), fcntl.LOCK_SH)


def _flush(data: Path) -> None:
    """Brings a new cluster to the disk behind the user's back; initdb itself would make the first start wait for it."""
    for path in data.rglob("*"):
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            os.fsync(descriptor)
            os.close(descriptor)

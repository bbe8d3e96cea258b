"""PostgreSQL: a real server that is stopped, killed and restarted, and pgbouncer before it."""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import BETTER, GOOD, METHOD, Threads, add, require, run
from test_servers import check_greenlets

from dash_users import Busy, DatabaseError, Error, Limits, Users

psycopg = pytest.importorskip("psycopg")
from dash_users import _postgres

URL = os.environ.get("TEST_POSTGRES_URL", "")
CONTROL = shlex.split(os.environ.get("TEST_POSTGRES_CONTROL", ""))
DATA = os.environ.get("TEST_POSTGRES_DATA", "")


def control(*arguments: str) -> None:
    """Runs pg_ctl on the server."""
    log = os.path.join(DATA, "server.log")
    command = [*CONTROL, f"--pgdata={DATA}", f"--log={log}", "--wait", "--silent", *arguments]
    # Not in a pipe, which the server would keep open.
    subprocess.run(
        command, check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def server() -> int:
    """The server's process."""
    return int(Path(DATA, "postmaster.pid").read_text().split()[0])


@pytest.fixture
def url() -> str:
    require("the PostgreSQL server of the tests", bool(URL))
    with psycopg.connect(URL, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
        connection.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
    run("init", database=URL)
    add("ann", database=URL)
    run("group", "add", "ann", "staff", database=URL)
    return URL


@pytest.fixture
def users(url: str) -> Iterator[Users]:
    users = Users(url, limits=Limits(method=METHOD))
    yield users
    users.close()


def test_life_of_a_user(users: Users) -> None:
    assert users.auth_func("ann", GOOD)
    assert not users.auth_func("ann\0", GOOD)
    assert not users.auth_func("ann", "wrong")
    assert users.user_groups("ann") == ["staff"]
    assert users.user_groups("a\0") == []
    bob = users.add("bob", BETTER, language="fr", groups=["x"])
    assert bob == users.get("bob")
    assert bob.created_at is not None
    assert bob.created_at.tzinfo is not None
    assert users.list_users(group="x") == [bob]
    users.lock("bob")
    assert not users.auth_func("bob", BETTER)
    assert users.list_users()[1].locked
    assert users.language("bob") == "fr"
    assert users.history("bob", limit=1)[0].action == "lock"
    users.remove("bob")
    assert users.get("bob") is None
    assert users.get("b\0") is None


CHANGES: dict[str, Callable[[str], object]] = {
    "remove": lambda url: run("remove", "ann", "--yes", database=url),
    "lock": lambda url: run("lock", "ann", database=url),
    "rename": lambda url: run("rename", "ann", "eve", database=url),
    "passwd": lambda url: run("passwd", "ann", "--password-stdin", password=BETTER, database=url),
}


@pytest.mark.parametrize("change", CHANGES)
def test_change_counts_at_the_next_call(users: Users, url: str, change: str) -> None:
    with Threads(8, lambda: users.auth_func("ann", GOOD)) as threads:
        threads.wait(30)
        CHANGES[change](url)
        assert not users.auth_func("ann", GOOD)
        threads.wait(30)
        assert not users.auth_func("ann", GOOD)


def test_closed_connections_are_replaced(users: Users, url: str) -> None:
    with Threads(8, lambda: users.auth_func("ann", GOOD)) as threads:
        for _ in range(5):
            threads.wait(50)
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE pid <> pg_backend_pid() AND usename = current_user"
                )
    assert users.auth_func("ann", GOOD)


def test_restarted_server_is_reached_again(users: Users) -> None:
    assert users.auth_func("ann", GOOD)
    control("--mode=fast", "restart")
    assert users.auth_func("ann", GOOD)
    assert users.user_groups("ann") == ["staff"]


def test_stopped_server_is_an_error_until_it_is_back(users: Users) -> None:
    assert users.auth_func("ann", GOOD)
    # Not "immediate", which loses commits: the server of the tests does not wait for the disk.
    control("--mode=fast", "stop")
    try:
        for _ in range(2):
            with pytest.raises(DatabaseError) as error:
                users.auth_func("ann", GOOD)
            assert urlsplit(URL).password not in str(error.value)
    finally:
        control("start")
    assert users.auth_func("ann", GOOD)


def test_killed_server_is_an_error_until_it_is_back(users: Users, url: str) -> None:
    # The server of the tests answers a commit before it is written. This one waits for it.
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = on")
        connection.execute("CREATE TABLE written ()")
    assert users.auth_func("ann", GOOD)
    with Threads(4, lambda: reached(users)) as threads:
        threads.wait(20)
        os.kill(server(), signal.SIGKILL)
        try:
            while reached(users):
                time.sleep(0.001)
        finally:
            while True:
                try:
                    control("start")
                    break
                except subprocess.CalledProcessError:
                    # Its children are still there.
                    time.sleep(0.05)
        while not reached(users):
            time.sleep(0.001)
        threads.wait(20)
    assert users.user_groups("ann") == ["staff"]


def reached(users: Users) -> bool:
    """Whether the server answers. Other errors are raised."""
    try:
        assert users.auth_func("ann", GOOD)
    except (Busy, DatabaseError):
        return False
    return True


def test_server_that_does_not_answer_is_an_error(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its processes are stopped: connections stay open, and nothing is received."""
    monkeypatch.setattr(_postgres, "TIMEOUT_S", 1)
    assert users.auth_func("ann", GOOD)
    main = server()
    children = Path(f"/proc/{main}/task/{main}/children")
    if not children.exists():
        pytest.skip("processes are found through /proc")
    processes = [main, *map(int, children.read_text().split())]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        started = time.monotonic()
        with pytest.raises((DatabaseError, Busy)):
            users.auth_func("ann", GOOD)
        # It does not hang. How long it takes is not the point.
        assert time.monotonic() - started < 60
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)
    assert users.auth_func("ann", GOOD)


def test_role_that_reads_two_tables_only(users: Users, url: str) -> None:
    role = f"reader_{os.getpid()}"
    parts = urlsplit(url)
    own = url.replace(f"{parts.username}:{parts.password}@", f"{role}@")
    admin = url.replace(f"{parts.username}:", "postgres:").rsplit("/", 1)[0] + "/postgres"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
    reader = Users(f"{own}?password=x", limits=Limits(method=METHOD))
    with pytest.raises(DatabaseError, match="permission denied") as error:
        reader.auth_func("ann", GOOD)
    assert error.value.hint is not None
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"GRANT SELECT ON users, user_groups TO {role}")
    assert reader.auth_func("ann", GOOD)
    user = reader.get("ann")
    assert user is not None
    assert (user.groups, user.created_at) == (("staff",), None)
    assert reader.list_users() == [user]
    reader.close()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"REVOKE ALL ON users, user_groups FROM {role}")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP ROLE {role}")


def test_tables_of_the_app_only(users: Users, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE user_groups, dash_users_times")
        assert users.auth_func("ann", GOOD)
        assert users.user_groups("ann") == []
        assert users.get("ann") is not None
        connection.execute("DROP TABLE users")
    for call in (lambda: users.auth_func("ann", GOOD), lambda: users.user_groups("ann")):
        with pytest.raises(DatabaseError) as error:
            call()
        assert error.value.code == "not_a_database"


# uWSGI forks without what Python does then.
@pytest.mark.parametrize("fork", [os.fork, ctypes.PyDLL(None).fork])
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_forks(users: Users, fork: Callable[[], int]) -> None:
    def server_process() -> int:
        reader = users._reader
        assert isinstance(reader, _postgres.PostgresReader)
        return reader.run(lambda connection: connection.info.backend_pid)

    assert users.auth_func("ann", GOOD)
    of_parent = server_process()
    for _ in range(10):
        child = fork()
        if child == 0:
            code = 1
            try:
                signal.alarm(60)
                if users.auth_func("ann", GOOD) and server_process() != of_parent:
                    code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        assert status == 0
        assert users.auth_func("ann", GOOD)


@pytest.mark.parametrize("options", [[], ["--preload"]])
def test_gevent(options: list[str], url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER", url)
    check_greenlets(*options)


def test_several_hosts_mean_the_primary(url: str) -> None:
    parts = urlsplit(url)
    several = url.replace(f"@127.0.0.1:{parts.port}", f"@127.0.0.1:1,127.0.0.1:{parts.port}")
    users = Users(several, limits=Limits(method=METHOD))
    assert users.auth_func("ann", GOOD)
    with psycopg.connect(url, autocommit=True) as connection:
        database = urlsplit(url).path[1:]
        connection.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    try:
        users.close()
        with pytest.raises(DatabaseError):
            users.auth_func("ann", GOOD)
        either = Users(f"{several}?target_session_attrs=any", limits=Limits(method=METHOD))
        assert either.auth_func("ann", GOOD)
        either.close()
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(f"ALTER DATABASE {database} RESET default_transaction_read_only")
    users.close()


def test_refused_password_is_not_shown(url: str) -> None:
    parts = urlsplit(url)
    users = Users(url.replace(parts.password or "", "hunter2"))
    with pytest.raises(DatabaseError, match="authentication failed") as error:
        users.auth_func("ann", GOOD)
    assert "hunter2" not in str(error.value)
    with pytest.raises(Error) as usage:
        Users("postgresql://app:hunter2@host/db?nonsense=1")
    assert "hunter2" not in str(usage.value)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.mark.parametrize("mode", ["session", "transaction", "statement"])
def test_pgbouncer(url: str, tmp_path: Path, mode: str) -> None:
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    require("pgbouncer", program is not None)
    assert program is not None
    parts, port = urlsplit(url), free_port()
    database = parts.path[1:]
    (tmp_path / "users.txt").write_text(f'"{parts.username}" "{parts.password}"\n')
    config = tmp_path / "pgbouncer.ini"
    config.write_text(
        f"""[databases]
{database} = host=127.0.0.1 port={parts.port} dbname={database}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {tmp_path}/users.txt
pool_mode = {mode}
"""
    )
    command = [program, str(config)]
    if os.getuid() == 0:
        # It refuses to run as root. The files are for others to read.
        for directory in (tmp_path, *tmp_path.parents):
            if directory == Path("/tmp"):
                break
            directory.chmod(0o755)
        command[1:1] = ["--user=nobody"]

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"
        )
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except OSError:
                assert process.poll() is None
                time.sleep(0.01)
            else:
                return process

    proxy = start()
    users = Users(url.replace(f":{parts.port}/", f":{port}/"), limits=Limits(method=METHOD))
    try:
        with Threads(4, lambda: users.auth_func("ann", GOOD)) as threads:
            threads.wait(40)
        assert users.user_groups("ann") == ["staff"]
        proxy.kill()
        proxy.wait()
        with pytest.raises(DatabaseError):
            users.auth_func("ann", GOOD)
        proxy = start()
        assert users.auth_func("ann", GOOD)
        run("lock", "ann", database=url)
        assert not users.auth_func("ann", GOOD)
    finally:
        proxy.kill()
        proxy.wait()
        users.close()

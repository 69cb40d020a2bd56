"""The servers start, restart, end, and do not outlive whoever started them."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time

import psycopg
import pytest
import redis

from devservers import account, application, postgres, process, valkey
from devservers.ports import LOOPBACK, free_port
from tests.servers import new_folder


@pytest.fixture
def folder():
    folder = new_folder("devservers")
    yield folder
    shutil.rmtree(folder)


def test_postgres_when_crashed_and_restarted_keeps_what_was_committed(folder):
    server = postgres.start(folder / "postgres")
    passwords = {role: f"pass/{role}@:" for role in postgres.ROLES}
    postgres.provision(server, passwords)
    with psycopg.connect(server.address(user="openhours_owner", password=passwords["openhours_owner"])) as connection:
        connection.execute("CREATE TABLE note (words text, EXCLUDE USING gist (words WITH =))")
        connection.execute("INSERT INTO note VALUES ('kept')")

    server.restart(immediate=True)

    with server.connect(postgres.DATABASE) as connection:
        assert connection.execute("SELECT words FROM note").fetchall() == [("kept",)]
        assert connection.execute("SHOW max_connections").fetchone() == ("200",)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
    server.stop()


def test_postgres_roles_are_not_superusers_and_app_owns_nothing(folder):
    server = postgres.start(folder / "postgres", fsync=False)
    postgres.provision(server, dict.fromkeys(postgres.ROLES, "x"))

    with psycopg.connect(server.address(user="openhours_app", password="x")) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE mine (id int)")
        connection.rollback()
        rows = connection.execute("SELECT rolname FROM pg_roles WHERE rolsuper").fetchall()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.address(user="openhours_app", password="wrong"))
    assert rows == [("postgres",)]
    server.stop()


def test_valkey_when_restarted_is_empty_and_asks_for_its_password(folder):
    server = valkey.start(folder / "valkey")
    with redis.Redis.from_url(server.url) as client:
        client.set("a", 1)
        server.restart()
        assert client.get("a") is None
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}

    with redis.Redis(port=server.port) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.get("a")
    server.stop()


def test_servers_when_their_starter_is_killed_end_by_themselves(folder):
    script = f"""
        import pathlib, time
        from devservers import postgres, valkey
        folder = pathlib.Path({str(folder)!r})
        one, two = postgres.start(folder / "postgres", fsync=False), valkey.start(folder / "valkey")
        print(one.child.pid, two.child.pid, flush=True)
        time.sleep(60)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True, cwd=application.ROOT
    ) as starter:
        pids = [int(pid) for pid in starter.stdout.readline().split()]
        assert len(pids) == 2

        starter.kill()

    assert all(process.wait_until_gone(pid, 10) for pid in pids)


def test_child_when_stopped_takes_its_children_along(folder):
    child = process.spawn("shell", ["sh", "-c", "sleep 300 & echo $!; wait"], log=folder / "shell.log")
    while not (folder / "shell.log").read_text().strip():
        time.sleep(0.02)
    grandchild = int((folder / "shell.log").read_text())

    child.stop(signal.SIGKILL)

    assert process.wait_until_gone(grandchild, 5)


@pytest.fixture
def as_root(monkeypatch, tmp_path):
    """Pretend to be root with an account that owns nothing, so that the rule is tested for every user."""
    monkeypatch.setattr(account, "OPEN_PLACE", tmp_path / "open")
    (tmp_path / "open").mkdir()
    return account.Account("nobody", 65534, 65534)


def test_home_when_a_parent_is_closed_is_a_link_and_no_permission_changes(as_root, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)

    home = account.home_for(closed / "data" / "postgres", as_root)

    assert home.parent == tmp_path / "open"
    assert (closed / "data" / "postgres").resolve() == home.resolve()
    assert oct(closed.stat().st_mode)[-3:] == "700"
    account.remove_home(closed / "data" / "postgres")
    assert not home.exists()


def test_home_when_its_folder_was_deleted_starts_empty(as_root, tmp_path):
    folder = tmp_path / "data" / "postgres"
    tmp_path.chmod(0o700)
    home = account.home_for(folder, as_root)
    (home / "old").touch()
    folder.unlink()

    assert list(account.home_for(folder, as_root).iterdir()) == []


def test_home_when_somebody_else_made_the_folder_refuses(as_root, tmp_path):
    folder = tmp_path / "data" / "postgres"
    account.stand_in(folder).symlink_to(tmp_path)
    tmp_path.chmod(0o700)

    with pytest.raises(PermissionError):
        account.home_for(folder, as_root)


def test_port_when_given_out_is_kept_for_a_server():
    port = free_port()

    with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
        stranger.bind((LOOPBACK, port))
    with socket.create_server((LOOPBACK, port)) as server:
        assert server.getsockname() == (LOOPBACK, port)


def test_programs_are_those_of_the_procfile():
    assert list(application.programs()) == ["web", "worker", "beat"]
    assert os.path.exists(application.ROOT / "manage.py")

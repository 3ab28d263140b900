"""A program with the C++ SDK behind a proxy that asks for a password."""

import os
import socket
import subprocess

import pytest

from harness import packages, platform as platforms

pytestmark = pytest.mark.linux_only("the proxy is the service's own business: "
                                    "test_proxy")


@pytest.fixture
def proxy(work):
    """The address of a tinyproxy that lets in someone:secret, and its log."""
    folder = work / "tinyproxy"
    folder.mkdir()
    log = folder / "log"
    while True:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        (folder / "conf").write_text(
            f'Port {port}\nListen 127.0.0.1\nTimeout 60\nAllow 127.0.0.1\n'
            f'BasicAuth someone secret\nLogLevel Connect\nLogFile "{log}"\n')
        process = subprocess.Popen(
            [platforms.find("tinyproxy"), "-d", "-c", str(folder / "conf")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                continue
        if process.poll() is None:
            break  # else somebody else was faster to take the port
    yield f"http://127.0.0.1:{port}", log
    process.terminate()
    process.wait()


def test_password_outlives_the_service(api, repository, serve, daemon, platform,
                                       proxy, work):
    for name in ("before", "after"):
        repository.add_exec(name, "1", packages.script(
            work / f"{name}.sh", f"exit 0 # {name}\n"))
    repository.publish()
    web = serve(repository.published)
    api.add_service(web.url, repository.root)
    address, log = proxy
    client = subprocess.Popen(
        [*platform.command("usher_proxy_client"), address, "someone", "secret",
         "before", "after"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True, env={**os.environ, "USHER_ADDRESS": str(daemon.address)})
    try:
        def download():
            client.stdin.write("\n")
            client.stdin.flush()
            return client.stdout.readline().strip()

        assert client.stdout.readline() == "ready\n"
        assert download() == "0x00000000"
        asked = log.read_text().count("/before.sh")
        assert asked > 0
        code, _ = daemon.stop()
        assert code == 0
        daemon.start()
        assert download() == "0x00000000"
        assert "/after.sh" in log.read_text()
        # It is on no disk of the service.
        for path in daemon.state.rglob("usher.db*"):
            assert b"secret" not in path.read_bytes()
        assert client.stdin.close() is None and client.wait(timeout=120) == 0
    finally:
        client.kill()
        client.wait()
        client.stdout.close()

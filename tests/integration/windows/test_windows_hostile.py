"""What a careless or hostile publisher and user bring to the Windows service."""

import json
import shutil

import pytest

from harness import windows_programs as programs

SERVICE = "usher-hostile"
STATE = r"C:\hostile state"
CODE = "{3C0B1B3A-52A0-4E57-8C71-0D6D37B5F0A1}"


@pytest.fixture
def service(wine, windows_build):
    with wine.running_service(SERVICE, windows_build / "bin/usherd.exe",
                              "--state-dir", STATE) as name:
        yield name
    shutil.rmtree(wine.drive_c / "hostile state", ignore_errors=True)


@pytest.fixture
def cli(usher, service):
    """cli("search", code=0): the members of its JSON."""
    def run(*words, code=0):
        result = usher("--state-dir", STATE, "--json", "--yes", *words)
        assert result.code == code, result.output
        return json.loads(result.output)
    return run


@pytest.fixture
def offer(cli, repository, wine, work, serve):
    """offer() publishes what was added; the service knows it then."""
    def publish():
        reason = programs.missing()
        if reason:
            pytest.skip(f"no packages for Windows: {reason}")
        repository.publish()
        root = work / "root.json"
        root.write_bytes(repository.root)
        cli("services", "add", serve(repository.published).url, "--root",
            wine.path(root))
    return publish


def only_update(answer):
    (update,) = answer["updates"]
    return update


@pytest.mark.parametrize("name", ["CON", "bin/nul.txt", "a:b", "dot.",
                                  "space ", "star*"])
def test_names_that_windows_gives_a_meaning_are_refused(cli, offer, repository,
                                                        wine, name):
    repository.add_archive("trap", "1.0", {name: b"x", "good.txt": b"y"})
    offer()
    update = only_update(cli("install", "trap", code=1))
    assert update["symbol"] == "WU_E_UH_INVALIDMETADATA", update
    assert name.rpartition("/")[2].strip() in update["message"]
    assert not list((wine.drive_c / "hostile state/products").glob("trap/*"))


def test_names_equal_up_to_case_are_refused(cli, offer, repository):
    repository.add_archive("twins", "1.0", {"Read.me": b"1", "README": b"2",
                                            "read.ME": b"3"})
    offer()
    update = only_update(cli("install", "twins", code=1))
    assert update["symbol"] == "WU_E_UH_INVALIDMETADATA", update


def test_long_paths(cli, offer, repository, wine):
    deep = "/".join(["a-folder-with-a-long-name-%02d" % i for i in range(12)])
    repository.add_archive("deep", "1.0", {f"{deep}/ü-file.txt": b"deep"})
    offer()
    cli("install", "deep")
    (found,) = (wine.drive_c / "hostile state/products/deep").glob(
        "**/ü-file.txt")
    assert found.read_bytes() == b"deep"
    cli("uninstall", "deep")
    assert not list((wine.drive_c / "hostile state/products").glob("deep/1*"))


def test_what_is_no_package_fails_and_is_in_the_history(cli, offer, repository,
                                                        work):
    package = work / "no.msi"
    package.write_bytes(b"this is no package")
    repository.add_msi("broken", "1.0.0", package, CODE)
    offer()
    cli("install", "broken", code=1)
    (entry,) = cli("history")["entries"]
    assert (entry["title"], entry["result_code"], entry["symbol"]) == (
        "broken 1.0.0", "Failed", "WU_E_UH_INSTALLERFAILURE")
    # Windows Installer's own code.
    assert entry["unmapped_result_code"] > 0


def test_an_installer_that_fails_is_a_failure(cli, offer, repository, work):
    # It ends with code 10, which is not said to be a success.
    agent = programs.program(work / "agent.exe", "agent")
    repository.add_exec("agent", "1.0", agent,
                        arguments=[r"C:\written.txt", "x"])
    offer()
    update = only_update(cli("install", "agent", code=1))
    assert (update["symbol"], update["unmapped_result_code"]) == (
        "WU_E_UH_INSTALLERFAILURE", 10)
    assert "code 10" in update["message"]


def test_a_second_service_leaves_the_state_alone(wine, windows_build, service,
                                                 usher):
    second = wine.run(windows_build / "bin/usherd.exe", "run", "--state-dir",
                      STATE)
    assert second.code == 4, second.output
    assert usher("--state-dir", STATE, "status").code == 0


@pytest.mark.parametrize("url", ["", "updates", "ftp://127.0.0.1/x",
                                 r"C:\no\such\folder", "http://",
                                 "file://server/share"])
def test_a_url_that_leads_nowhere_is_refused(cli, wine, work, url):
    root = work / "root.json"
    root.write_text("{}")
    result = cli("services", "add", url, "--root", wine.path(root), code=1)
    assert result["error"]["message"]
    assert cli("services", "list")["services"] == []


def test_names_in_every_script(cli, offer, repository, wine):
    names = ["\u65e5\u672c\u8a9e.txt", "\u041f\u0440\u0438\u0432\u0435\u0442.txt",
             "\u0142\u00f3d\u017a.txt", "\u20acuro.txt", "\U0001f600.txt"]
    repository.add_archive("scripts", "1.0",
                           {name: name.encode() for name in names})
    offer()
    cli("install", "scripts")
    for name in names:
        (found,) = (wine.drive_c / "hostile state/products/scripts").glob(
            f"**/{name}")
        assert found.read_bytes() == name.encode()


def test_an_installer_that_starts_another_one_is_waited_for(
        cli, offer, repository, wine, work):
    program = work / "setup.cmd"
    # The second one does its work when the first has ended.
    program.write_text("@start /b cmd /c ping -n 3 127.0.0.1 ^>nul ^& "
                       "echo done^> C:\\second.txt\n@exit /b 0\n")
    repository.add_exec("starter", "1.0", program)
    offer()
    cli("install", "starter")
    assert (wine.drive_c / "second.txt").read_text().strip() == "done"

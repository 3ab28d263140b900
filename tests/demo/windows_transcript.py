#!/usr/bin/python3
"""The main job on Windows as a transcript: a service made by sc, an MSI and an
archive found, downloaded, installed and taken away by usher.exe, in Wine.

usage: windows_transcript.py [--build BUILD] [--windows-build BUILD] [--update]

Prints the transcript. --update also puts it into docs/windows.md, where a test
compares it (tests/integration/windows/test_windows_transcript.py).
"""

import argparse
import pathlib
import re
import shlex
import shutil
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests/integration"))

from harness import platform as platforms  # noqa: E402
from harness import publisher, webserver, windows_programs, wine  # noqa: E402

DOCUMENT = REPOSITORY / "docs/windows.md"
BEGIN = "<!-- transcript: written by tests/demo/windows_transcript.py -->\n"
END = "<!-- end of transcript -->\n"

PRODUCT = "{{7D1C3A50-93D5-4E0B-9C55-0B7C3F1E000{0}}}".format
PROGRAMS = ("usherd.exe", "usher.exe")

# What differs from run to run, and what stands for it, as long as itself where
# that keeps columns in line.
VARYING = (
    (r"127\.0\.0\.1:\d+", lambda found: "127.0.0.1:8000"),
    (r"\b20\d\d-\d\d-\d\d \d\d:\d\d(:\d\d)?",
     lambda found: "2026-01-02 03:04:05"[:len(found[0])]),
    (r"\b\d+(\.\d+)? kB *", lambda found: "9 kB".ljust(len(found[0]))),
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
     lambda found: "01234567-89ab-cdef-0123-456789abcdef"),
    # Progress, as much of it as there was time to show.
    (r"(?m)^\w+ing .* \(\d/\d\) .*\n", lambda found: ""),
    (r"(?m)[ \t]+$", lambda found: ""),
    (r"\n{2,}", lambda found: "\n"),
)


def publish(platform, work):
    """A repository with an MSI and an archive, each in two versions."""
    repository = publisher.Repository(platform, work / "repository",
                                      work / "sources")
    for number, version in enumerate(("1.0.0", "2.0.0"), 1):
        package = windows_programs.msi(
            work / "msi", "greeter", version, PRODUCT(number), PRODUCT(8),
            PRODUCT(9))
        repository.add_msi("greeter", version, package, PRODUCT(number))
        tool = windows_programs.program(work / f"tool-{version}.exe",
                                        f"tool {version}")
        repository.add_archive("tool", version,
                               {"tool.exe": tool.read_bytes()})
    repository.publish()
    return repository


class Transcript:
    """Runs commands in a Wine and writes down what they say."""

    def __init__(self, machine, folder):
        self.machine = machine
        self.folder = folder
        self.text = ""

    def run(self, *words):
        """Runs `wine words…`, which has to succeed."""
        self.text += f"$ wine {' '.join(shlex.quote(w) for w in words)}\n"
        done = self.machine.run(*words, folder=self.folder)
        if done.code != 0:
            raise AssertionError(f"{self.text}{done.output}exit code "
                                 f"{done.code}")
        self.text += done.output if done.output.endswith("\n") or \
            not done.output else done.output + "\n"

    def normal(self):
        text = self.text
        for pattern, instead in VARYING:
            text = re.sub(pattern, instead, text)
        return text


def main_job(machine, windows_build, url, root):
    """The transcript, without what differs from run to run."""
    folder = machine.drive_c / "Usher"
    folder.mkdir()
    for program in PROGRAMS:
        shutil.copy(windows_build / "bin" / program, folder)
    (folder / "root.json").write_bytes(root)
    transcript = Transcript(machine, folder)
    run = transcript.run
    run("sc", "create", "usherd", "binPath=", r"C:\Usher\usherd.exe", "start=",
        "demand")
    run("sc", "start", "usherd")
    machine.wait_for_service("usherd", "RUNNING")
    run("sc", "query", "usherd")
    run("usher.exe", "status")
    run("usher.exe", "--yes", "services", "add", url, "--root", "root.json")
    run("usher.exe", "search")
    run("usher.exe", "download", "greeter", "tool")
    run("usher.exe", "--yes", "install", "greeter", "tool")
    run(r"C:\Program Files\greeter\greeter.exe")
    run("usher.exe", "search", "--installed")
    run("usher.exe", "--yes", "uninstall", "greeter", "tool")
    run("usher.exe", "history")
    run("sc", "stop", "usherd")
    machine.wait_for_service("usherd", "STOPPED")
    run("sc", "query", "usherd")
    run("sc", "delete", "usherd")
    shutil.rmtree(folder)
    return transcript.normal()


def documented():
    """The transcript in the documentation."""
    text = DOCUMENT.read_text()
    _, _, rest = text.partition(BEGIN)
    block, _, _ = rest.partition(END)
    return block.removeprefix("```text\n").removesuffix("```\n")


def update(transcript):
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(f"{before}{BEGIN}```text\n{transcript}```\n{END}"
                        f"{after}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/debug",
                        help="build folder with usher-publish for Linux")
    parser.add_argument("--windows-build", default="build/windows",
                        type=pathlib.Path)
    parser.add_argument("--update", action="store_true",
                        help="write it into docs/windows.md")
    arguments = parser.parse_args()
    for reason in (wine.missing(), windows_programs.missing()):
        if reason:
            parser.error(reason)
    work = pathlib.Path(tempfile.mkdtemp(prefix="usher-"))
    work.chmod(0o755)
    machine = server = None
    try:
        repository = publish(platforms.Linux(arguments.build), work)
        server = webserver.WebServer(repository.published, work / "nginx")
        machine = wine.Wine()
        transcript = main_job(machine, arguments.windows_build.resolve(),
                              server.url, repository.root)
    finally:
        if server:
            server.stop()
        if machine:
            machine.close()
        shutil.rmtree(work, ignore_errors=True)
    print(transcript, end="")
    if arguments.update:
        update(transcript)


if __name__ == "__main__":
    main()

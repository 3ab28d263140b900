"""Counts single test cases over all suites of one build.

usage: tally.py BUILD SUITE…      (suites: format, api-docs, ctest, pytest, fuzz,
                                   windows)

The suite "windows" is ctest on the Windows build beside BUILD; the names of its
tests begin with "windows/".

Reads what the suites reported, names every failed and every skipped case, and
prints as its last line "N passed, N failed[, N skipped]". A suite without a
report, a test binary that crashed, and one that failed although its report
shows no failed case count as a failure each. Exit code 1 on any failure.
"""

import json
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree


class Tally:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []

    def add_cases(self, root, prefix=""):
        """Counts the <testcase> elements of a JUnit report; how many failed."""
        before = len(self.failed)
        for case in root.iter("testcase"):
            name = f"{prefix}{case.get('classname')}.{case.get('name')}"
            problem = case.find("failure")
            if problem is None:
                problem = case.find("error")
            skip = case.find("skipped")
            if problem is not None:
                text = problem.get("message") or problem.text or ""
                self.failed.append((name, first_line(text)))
            elif skip is not None:
                self.skipped.append((name, first_line(skip.get("message") or
                                                      skip.text or "no reason")))
            elif case.get("status") == "notrun":
                self.skipped.append((name, "disabled"))
            else:
                self.passed += 1
        return len(self.failed) - before


def first_line(text):
    """The line of a failure or skip message that says most."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1 if len(lines) > 1 and ".cc:" in lines[0] else 0] if lines else ""


def parse(path):
    try:
        return ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError):
        return None


def tally_single(tally, build, name, reason):
    """A suite of one case that leaves a file when it passes."""
    if (build / f"reports/single/{name}.ok").exists():
        tally.passed += 1
    else:
        tally.failed.append((name, reason))


def tally_format(tally, build):
    tally_single(tally, build, "format", "not formatted; ./dev fmt does it")


def tally_api_docs(tally, build):
    tally_single(tally, build, "api-docs",
                 "something in the protos has no comment; it is named above")


def report_name(command):
    """The report that GoogleTest names after its program.

    For Windows the program is an argument of Wine's.
    """
    program = next((word for word in command if word.endswith(".exe")),
                   command[0])
    return pathlib.Path(program).name.removesuffix(".exe") + ".xml"


def tally_ctest(tally, build, prefix=""):
    shown = subprocess.run(
        ["ctest", "--test-dir", str(build), "--show-only=json-v1"],
        capture_output=True, check=False)
    try:
        tests = json.loads(shown.stdout)["tests"]
    except (ValueError, KeyError):
        tally.failed.append((f"{prefix}ctest", "cannot list its tests"))
        return
    report = parse(build / "reports/ctest.xml")
    outcome = {}
    if report is not None:
        outcome = {case.get("name"): case.get("status")
                   for case in report.iter("testcase")}
    for test in tests:
        ran_well = outcome.get(test["name"]) == "run"
        name = prefix + test["name"]
        labels = next((p["value"] for p in test.get("properties", [])
                       if p["name"] == "LABELS"), [])
        if "single" in labels:  # not GoogleTest: one case
            if ran_well:
                tally.passed += 1
            else:
                tally.failed.append((name, "failed; its output is above"))
            continue
        cases = parse(build / "reports/gtest" /
                      report_name(test.get("command", [name])))
        if cases is None:
            tally.failed.append((name, "crashed or did not start: no report"))
        elif not tally.add_cases(cases, prefix) and not ran_well:
            tally.failed.append((name, "exited with a failure, or timed out, "
                                 "after its cases had passed"))


def tally_fuzz(tally, build):
    logs = sorted((build / "reports/fuzz").glob("*.log"))
    if not logs:
        tally.failed.append(("fuzz", "ran no target"))
    for log in logs:
        if log.with_suffix(".ok").exists():
            tally.passed += 1
        else:
            tally.failed.append((f"fuzz/{log.stem}",
                                 "a finding; the input is in build/fuzz/found"))


def tally_windows(tally, build):
    tally_ctest(tally, build.parent / "windows", "windows/")


def tally_pytest(tally, build, wine):
    for name in ("linux", "wine") if wine else ("linux",):
        report = parse(build / f"reports/pytest-{name}.xml")
        if report is None:
            tally.failed.append((f"pytest {name}", "no report"))
            continue
        tally.add_cases(report)
        # Of the tests that run on every platform; those that could not are
        # there as skipped.
        if not any(re.search(rf"[\[-]{name}[\]-]", case.get("name"))
                   for case in report.iter("testcase")):
            tally.failed.append((f"pytest {name}", f"ran no test on {name}"))


def main():
    build = pathlib.Path(sys.argv[1])
    suites = sys.argv[2:]
    tally = Tally()
    for suite in suites:
        {"format": tally_format, "api-docs": tally_api_docs, "ctest": tally_ctest,
         "pytest": lambda *args: tally_pytest(*args, "windows" in suites),
         "fuzz": tally_fuzz, "windows": tally_windows}[suite](tally, build)

    for title, cases in (("Skipped", tally.skipped), ("Failed", tally.failed)):
        if cases:
            print(f"\n{title}:")
            for name, reason in cases:
                print(f"  {name}: {reason}")
    print()
    line = f"{tally.passed} passed, {len(tally.failed)} failed"
    if tally.skipped:
        line += f", {len(tally.skipped)} skipped"
    print(line)
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())

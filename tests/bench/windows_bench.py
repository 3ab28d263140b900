#!/usr/bin/python3
"""Measures the Windows build in Wine: a unary call over the named pipe beside
the same call over TCP on loopback.

usage: windows_bench.py [--windows-build BUILD]
"""

import argparse
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from harness import wine as wines  # noqa: E402

SERVICE = "usher-bench"
SERVICE_PIPE = r"\\.\pipe\usher-bench"
BARE_PIPE = r"\\.\pipe\usher-bench-bare"
CALLS = 20000

ROWS = (("session_read", "usherd, named pipe"),
        ("bare_echo", "bare gRPC, named pipe"),
        ("bare_tcp_echo", "bare gRPC, TCP on loopback"))


def measure(machine, build):
    """The lines of usher_bench by name."""
    program = build / "bin/usher_bench.exe"
    (machine.drive_c / "bench.toml").write_text(
        f"[service]\nsocket = '{SERVICE_PIPE}'\n")
    with machine.running_service(SERVICE, build / "bin/usherd.exe",
                                 "--state-dir", r"C:\bench", "--config",
                                 r"C:\bench.toml"):
        with machine.server(program, "bare-server", BARE_PIPE) as (ready, _):
            done = machine.run(program, "rpc", SERVICE_PIPE, BARE_PIPE,
                               ready.split()[1], "--calls", CALLS)
            assert done.code == 0, done.output
    lines = map(json.loads, done.output.splitlines())
    return {line["name"]: line for line in lines}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows-build", default="build/windows-release",
                        type=pathlib.Path)
    arguments = parser.parse_args()
    reason = wines.missing()
    if reason:
        parser.error(reason)
    machine = wines.Wine()
    try:
        results = measure(machine, arguments.windows_build.resolve())
    finally:
        machine.close()
    print(f"\nUnary call in Wine: read a session's properties ({CALLS:,} calls "
          "each, in turn)")
    print(f"  {'':<32}{'p50':<14}{'p99':<14}")
    for name, label in ROWS:
        line = results[name]
        print(f"  {label:<32}{line['p50_us']:<.1f} us".ljust(48) +
              f"{line['p99_us']:.1f} us")
    pipe, tcp = results["bare_echo"], results["bare_tcp_echo"]
    print(f"  {'pipe to TCP':<32}{pipe['p50_us'] / tcp['p50_us']:.2f}".ljust(48)
          + f"{pipe['p99_us'] / tcp['p99_us']:.2f}")


if __name__ == "__main__":
    main()

"""200 clients at once that connect, call and vanish, some by being killed."""

import json
import random
import subprocess
import time

PROCESSES = 8
CLIENTS = 25  # in each process


def run(start, kill, seconds, seed):
    """start(seconds, seed) starts one usher_crowd and returns its process;
    kill(process) kills it and waits for its end. Returns the sums of what all
    have counted, and how many were killed: of those, nothing is known."""
    chance = random.Random(seed)
    end = time.monotonic() + seconds
    total, killed, number = {}, 0, 0
    running = []

    def start_one():
        nonlocal number
        number += 1
        left = max(1, round(end - time.monotonic()))
        running.append(start(left, seed * 1000 + number))

    def collect(process):
        output = process.stdout.read() if process.stdout else \
            process.output_file.read_text(errors="replace")
        assert process.returncode == 0, output
        for name, value in json.loads(output.splitlines()[-1]).items():
            total[name] = total.get(name, 0) + value

    for _ in range(PROCESSES):
        start_one()
    # The last seconds are theirs: who comes to its end by itself is counted.
    while time.monotonic() < end - 3:
        victim = chance.choice(running)
        # Between two deaths, life: as long as one process takes to notice.
        try:
            victim.wait(chance.uniform(0.5, 1.5))
        except subprocess.TimeoutExpired:
            kill(victim)
            running.remove(victim)
            killed += 1
            start_one()
    for process in running:
        process.wait()
        collect(process)
    return total, killed

"""Runs each scenario on both sides in turns and prints a table of medians and ratios.

Each side is one long-lived process that reads the name of a scenario from a line, does it once on
a fresh thread, and answers with the seconds it took and the units of work it did. So start-up is
not measured, both sides are warm, and what disturbs the machine disturbs both alike.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

# name, what one unit is, what is done, the ratio that is aimed at
SCENARIOS = [
    ("supersteps", "superstep", "one node in a loop, no checkpoint", 100),
    ("fan_out", "task", "100 sends and their join, no checkpoint", None),
    ("supersteps_memory", "superstep", "the loop, checkpoints in memory", None),
    ("supersteps_sqlite", "superstep", "the loop, each checkpoint durable in SQLite", 8),
    ("background_sqlite", "superstep",
     "the loop, in the background in SQLite (LangGraph's default durability)", 8),
    ("resume_memory", "cycle", "ask, answer, finish; checkpoints in memory", None),
    ("resume_sqlite", "cycle", "ask, answer, finish; durable in SQLite", 20),
    ("resume_threads_sqlite", "cycle",
     "ask, answer, finish on 64 threads at once, durable in SQLite", 20),
    ("threads_sqlite", "superstep", "the loop on 64 threads at once, durable in SQLite", 30),
    ("supersteps_postgres", "superstep", "the loop, each checkpoint durable in Postgres", None),
    ("resume_postgres", "cycle", "ask, answer, finish; durable in Postgres", None),
    ("threads_postgres", "superstep", "the loop on 64 threads at once, durable in Postgres", None),
    ("history_10", "superstep", "appends to a list of 10, durable in SQLite", None),
    ("history_10000", "superstep", "appends to a list of 10,000, durable in SQLite", None),
]


PACKAGES = ("langgraph", "langgraph-checkpoint-sqlite", "langgraph-checkpoint-postgres")
SERVER = os.environ.get("COUNTERSIGN_TEST_POSTGRES")


class Side:
    """One of the two processes."""

    def __init__(self, command, folder):
        folder.mkdir()
        self.process = subprocess.Popen(
            [*command, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def do(self, scenario):
        """Microseconds per unit."""
        self.process.stdin.write(scenario + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{scenario}: the process is gone")
        done = json.loads(line)
        return done["seconds"] / done["units"] * 1e6

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def shown(us):
    return f"{us / 1000:,.2f} ms" if us >= 1000 else f"{us:,.1f} µs"


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--ours", required=True, help="our side's program")
    words.add_argument("--rounds", type=int, default=7)
    words.add_argument("--only", default="")
    chosen = words.parse_args()
    here = Path(__file__).parent
    scratch = Path(tempfile.mkdtemp(prefix="beside-", dir=here.parent / "target"))
    try:
        ours = Side([chosen.ours], scratch / "ours")
        theirs = Side([sys.executable, str(here / "langgraph_side.py")], scratch / "theirs")
        names = ", ".join(f"{n} {version(n)}" for n in PACKAGES)
        print(f"{names}, Python {platform.python_version()}, {os.cpu_count()} processors, "
              f"median of {chosen.rounds} rounds in turns, fastest and slowest in brackets\n")
        print("| Scenario | Unit | Countersign | LangGraph | Ratio | Aim |")
        print("|---|---|--:|--:|--:|--:|")
        for name, unit, what, aim in SCENARIOS:
            if chosen.only in name and (SERVER or "postgres" not in name):
                row(name, unit, what, aim, ours, theirs, chosen.rounds)
        if not SERVER:
            print("\nPostgres: not measured, COUNTERSIGN_TEST_POSTGRES names no server.")
        ours.end()
        theirs.end()
    finally:
        shutil.rmtree(scratch)


def row(name, unit, what, aim, ours, theirs, rounds):
    ours.do(name), theirs.do(name)
    pairs = [(ours.do(name), theirs.do(name)) for _ in range(rounds)]
    mine, other = zip(*pairs)
    cell = lambda all: f"{shown(statistics.median(all))} ({shown(min(all))}–{shown(max(all))})"
    ratio = statistics.median(o / m for m, o in pairs)
    goal = "" if aim is None else f"{aim}× {'met' if ratio >= aim else 'missed'}"
    print(f"| {name}: {what} | {unit} | {cell(mine)} | {cell(other)} | {ratio:,.1f}× | {goal} |",
          flush=True)


main()

#!/usr/bin/python3
"""Runs the outside example, alone and against the installed services."""

import argparse
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
from services import Services  # noqa: E402

SAMPLES = os.path.join(HERE, "..", "..", "samples")


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


def check(condition, message, result):
    if not condition:
        sys.exit(f"{message}\n{result.args}: exit status {result.returncode}\n{result.stdout}{result.stderr}")


def alone(newsroom, tagger):
    for program in (newsroom, tagger):
        result = run(program, "--help")
        check(result.returncode == 0 and "usage:" in result.stdout, "--help must explain", result)
        result = run(program)
        check(result.returncode == 2 and "usage:" in result.stderr, "no arguments must be a usage error", result)
    result = run(newsroom, "--search", "127.0.0.1:1", "anything")
    check(result.returncode == 1 and "search:" in result.stderr, "nobody listens: must be one clear line", result)
    check(result.stderr.count("\n") == 1, "nobody listens: must be one clear line", result)


def services(newsroom, tagger, bin_dir):
    page = os.path.join(SAMPLES, "pages", "chile-lithium.html")
    with Services(bin_dir, with_gateway=False) as dateline:
        result = run(newsroom, "--search", dateline.search.address, "--ingest", page, "lithium")
        check(result.returncode == 0, "ingest and search must succeed", result)
        first, *hits = result.stdout.splitlines()
        check(first.startswith("INGEST_OUTCOME_CREATED ") and " CL" in first, "the page must be tagged Chile", result)
        check([hit.split("\t")[1] for hit in hits] == ["Chile Wants to Own the Salt as Well as Dig It"],
              "the page must be found", result)
        result = run(newsroom, "--search", dateline.search.address, "--ingest", page, "flamingos")
        check(result.stdout.startswith("INGEST_OUTCOME_UNCHANGED "), "the same page again changes nothing", result)
        result = run(tagger, "--classifier", dateline.classifier.address, "Peru and its judges",
                     "The supreme court of Peru heard prosecutors from Lima on the corruption of judges.")
        check(result.returncode == 0 and "PE\t" in result.stdout, "the text must be tagged Peru", result)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=("alone", "services"))
    parser.add_argument("--example", required=True, help="build folder of the example")
    parser.add_argument("--bin", help="folder of the installed programs")
    options = parser.parse_args()
    newsroom, tagger = (os.path.join(options.example, name) for name in ("newsroom", "tagger"))
    if options.mode == "alone":
        alone(newsroom, tagger)
    else:
        services(newsroom, tagger, options.bin)


if __name__ == "__main__":
    main()

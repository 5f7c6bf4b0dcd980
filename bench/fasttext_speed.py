#!/usr/bin/env python3
"""Our taggers and fastText's `predict` on the same articles, in one run, on one core.

    apt-get install fasttext
    bench/fasttext_speed.py LABELLED.jsonl [--bench build/release/bin/classifier_bench] [--dim 10 100] [--rounds 5]

A fastText model is trained on the countries and issues of LABELLED.jsonl with the usual settings for several labels an
article: word bigrams in 200,000 buckets, one-vs-all loss, and each dimension of --dim (100 is fastText's default, 10 about
as small as is used). It answers which labels have a probability of at least 0.5, without evidence, spans or groups.

The texts are those that classifier_bench reads, as it prints them with --dump, each several times over. Both sides are
counted in processor time, the best of the rounds, which alternate, so that a busy machine is as busy for both; of
fastText the time for a file without a line is taken off: what loading the model takes. It divides texts at spaces only;
what is usually done before, lower case and signs apart, is done here beforehand and not counted.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

REPEATS = 4  # Of the texts in one call of fastText: they should take longer than its model to load.


def prepare(text):
    """What is usually fed to fastText: lower case, signs apart."""
    return " ".join(re.findall(r"\w+|[^\w\s]", text.lower()))


def write_training(articles, path):
    with open(articles, encoding="utf-8") as source, open(path, "w", encoding="utf-8") as out:
        for line in source:
            article = json.loads(line)
            names = article.get("countries", []) + article.get("issues", article.get("topics", []))
            labels = " ".join("__label__" + re.sub(r"\s", "_", name) for name in names)
            if labels:
                out.write(f"{labels} {prepare(article['title'] + ' ' + article['body'])}\n")


def processor_seconds(command):
    """Of one process, from its beginning to its end."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        process = subprocess.Popen(command, stdout=nowhere)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command[0]} failed: {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def our_rates(bench, articles):
    """MB/s by row of classifier_bench."""
    rows = subprocess.run([bench, articles, "--rounds", "3"], check=True, capture_output=True, text=True).stdout
    return {name.strip(): float(rate) for name, rate in re.findall(r"^(\S.*?)\s+([\d.]+) MB/s", rows, re.M)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("articles", metavar="LABELLED.jsonl")
    parser.add_argument("--bench", default="build/release/bin/classifier_bench")
    parser.add_argument("--dim", type=int, nargs="+", default=[10, 100])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        train, texts, empty = (os.path.join(folder, name) for name in ("train.txt", "texts.txt", "empty.txt"))
        write_training(arguments.articles, train)
        dumped = subprocess.run([arguments.bench, arguments.articles, "--dump"], check=True, capture_output=True,
                                text=True).stdout.splitlines()
        megabytes = sum(len(line.encode()) for line in dumped) / 1e6
        with open(texts, "w", encoding="utf-8") as out:
            out.write("".join(prepare(line) + "\n" for line in dumped) * REPEATS)
        open(empty, "w", encoding="utf-8").close()
        models = {}
        for dim in arguments.dim:
            models[dim] = os.path.join(folder, f"dim{dim}")
            subprocess.run(["fasttext", "supervised", "-input", train, "-output", models[dim], "-dim", str(dim),
                            "-wordNgrams", "2", "-bucket", "200000", "-loss", "ova",
                            "-thread", "1", "-verbose", "0"], check=True)

        ours = {}
        theirs = {}
        for _ in range(arguments.rounds):
            for name, rate in our_rates(arguments.bench, arguments.articles).items():
                ours[name] = max(rate, ours.get(name, 0.0))
            for dim, model in models.items():
                loading = processor_seconds(["fasttext", "predict", model + ".bin", empty, "-1", "0.5"])
                whole = processor_seconds(["fasttext", "predict", model + ".bin", texts, "-1", "0.5"])
                theirs[dim] = max(REPEATS * megabytes / (whole - loading), theirs.get(dim, 0.0))

    for name, rate in ours.items():
        print(f"{name:12} {rate:6.1f} MB/s")
    for dim, rate in theirs.items():
        print(f"fastText {dim:3} {rate:6.1f} MB/s   both taggers are {ours['both'] / rate:.1f} times as fast")


if __name__ == "__main__":
    main()

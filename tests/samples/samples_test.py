#!/usr/bin/python3
"""Holds the samples against samples/articles.expected.

    samples_test.py extraction --bin BIN --samples samples    what `dateline extract` gives, exactly, but for the
                                                              differences listed in known_differences.txt
    samples_test.py tags --bin BIN --samples samples          what the services tag, as a share that may not fall
"""

import argparse
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from services import Services  # noqa: E402

# Measured shares, rounded down; a change that makes one fall below has to say why. An article counts as right when every
# expected tag is there and every other one is among those that would be no mistake. Where the publisher's own labels
# decide there is nothing to guess: all must be right.
FLOORS = {"countries by label": 1.0, "issues by label": 1.0, "countries by text": 0.86, "issues by text": 0.42}


def expectations(samples):
    """The rows of articles.expected by file, in the order of the items."""
    by_file = {}
    with open(os.path.join(samples, "articles.expected"), encoding="utf-8") as file:
        for row in json.load(file):
            by_file.setdefault(row["file"], []).append(row)
    for rows in by_file.values():
        rows.sort(key=lambda row: row["item"] or 0)
    return by_file


def extracted(dateline, path):
    result = subprocess.run([dateline, "extract", "--output", "jsonl", path], capture_output=True, text=True,
                            timeout=60, check=False)
    if result.returncode != 0:
        raise AssertionError(f"dateline extract {path}: exit status {result.returncode}\n{result.stderr}")
    return [json.loads(line) for line in result.stdout.splitlines()]


def words(text):
    return " ".join(text.split())


def differences(article, row):
    """What is wrong with one extracted article, one line each."""
    body = words(article.get("body", ""))
    if article.get("title") != row["title"]:
        yield f"title: {article.get('title')!r}"
    if article.get("authors", []) != row["authors"]:
        yield f"authors: {article.get('authors')}, expected {row['authors']}"
    if "date" in row and not article.get("publishTime", "").startswith(row["date"]):
        yield f"publish_time: {article.get('publishTime')}, expected {row['date']}"
    if "url" in row and article.get("url", "").split("?")[0] != row["url"]:
        yield f"url: {article.get('url')}, expected {row['url']}"
    if not body.startswith(row["body_starts"]):
        yield f"body starts: {body[:90]!r}, expected {row['body_starts']!r}"
    if not body.endswith(row["body_ends"]):
        yield f"body ends: {body[-90:]!r}, expected {row['body_ends']!r}"
    for piece in row["must_not_contain"]:
        if words(piece) in body or words(piece) in article.get("title", ""):
            yield f"contains {piece!r}, which is not the article"
    labels = {label["name"] for label in article.get("sourceLabels", [])}
    for label in row["publisher_labels"]:
        if label not in labels:
            yield f"publisher's label {label!r} is lost: {sorted(labels)}"


def check_extraction(options):
    dateline = os.path.join(options.bin, "dateline")
    wrong, count = [], 0
    for file, rows in expectations(options.samples).items():
        articles = extracted(dateline, os.path.join(options.samples, file))
        if len(articles) != len(rows):
            wrong.append(f"{file}: {len(articles)} articles, expected {len(rows)}")
        for article, row in zip(articles, rows):
            count += 1
            place = file if row["item"] is None else f"{file}[{row['item']}]"
            wrong.extend(f"{place}: {line}" for line in differences(article, row))
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "known_differences.txt"), encoding="utf-8") as file:
        known = [line.rstrip("\n") for line in file if not line.startswith("#")]
    print(f"{count} articles, {len(wrong)} differences, {len(known)} of them known")
    for line in set(known) - set(wrong):
        print(f"no longer so, take it off the list of known differences: {line}")
    new = [line for line in wrong if line not in known]
    if new:
        sys.exit("\n".join(new))


def judged(article, row):
    """Yields for countries and issues: what decided, whether it is right, and a line that says what was given."""
    labels = [label for label in article.get("labels", []) if label.get("state", "STATE_APPLIED") == "STATE_APPLIED"]
    for dimension, field in (("countries", "regionCode"), ("issues", "issueId")):
        by_label = {label[field] for label in labels if field in label and label["source"] == "LABEL_SOURCE_SOURCE"}
        # What the publisher says outranks the classifier, whose labels stay stored.
        given = by_label or {label[field] for label in labels if field in label}
        wanted, also = set(row[dimension]), set(row[f"{dimension}_also"])
        right = wanted <= given <= wanted | also
        yield (f"{dimension} by {'label' if by_label else 'text'}", right,
               f"{dimension}: {sorted(given)}, expected {sorted(wanted)}" + (f" or {sorted(also)}" if also else ""))


def check_tags(options):
    program = os.path.join(options.bin, "dateline")

    def dateline(*arguments):
        result = subprocess.run([program, *addresses, *arguments], capture_output=True, text=True, timeout=120,
                                check=False)
        if result.returncode != 0:
            raise AssertionError(f"dateline {arguments}: exit status {result.returncode}\n{result.stdout}{result.stderr}")
        return result.stdout

    by_title = {row["title"]: row for rows in expectations(options.samples).values() for row in rows}
    judgments, missing = {}, dict(by_title)
    with Services(options.bin, with_gateway=False) as services:
        addresses = ["--search", services.search.address, "--classifier", services.classifier.address]
        taken = dateline("ingest", "--output", "jsonl", "--wait", "labelled", options.samples)
        for line in taken.splitlines():
            result = json.loads(line)
            if not result.get("id"):  # Rejected, or the summary of an article that came whole.
                continue
            article = json.loads(dateline("get", "--output", "json", result["id"]))["article"]
            row = missing.pop(article["title"])
            for kind, right, text in judged(article, row):
                judgments.setdefault(kind, []).append((right, f"{row['file']}: {article['title']}: {text}"))
    if missing:
        sys.exit(f"not stored under their titles: {sorted(missing)}")

    fallen = []
    for kind, results in sorted(judgments.items()):
        share = sum(right for right, _ in results) / len(results)
        print(f"{kind}: {share:.2f} of {len(results)} right (floor {FLOORS[kind]})")
        print("".join(f"  {text}\n" for right, text in results if not right), end="")
        if share < FLOORS[kind]:
            fallen.append(kind)
    if fallen:
        sys.exit(f"below the floor: {', '.join(fallen)}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=("extraction", "tags"))
    parser.add_argument("--bin", required=True, help="folder of the built programs")
    parser.add_argument("--samples", required=True, help="folder of the samples")
    options = parser.parse_args()
    if options.mode == "extraction":
        check_extraction(options)
    else:
        check_tags(options)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Joins classifier_service/data/labels/labels.jsonl with the articles it is about, which are no part of the project.

    DATELINE_SHARED=FOLDER scripts/join_labels.py > build/labelled.jsonl
    DATELINE_SHARED=FOLDER scripts/join_labels.py --source cfi --source enwiki > build/labelled-free.jsonl

The second joins only articles of these sources: the freely licensed ones (MODEL_CARD.md). One JSON object a line: id,
source, title, body, date, issues, countries. Needs the optional data (articles/ and corpora/
under $DATELINE_SHARED/data) and zstd. Fails if an article is missing, so that nothing is trained on a part.
"""

import argparse
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LABELS = os.path.join(ROOT, "classifier_service", "data", "labels", "labels.jsonl")
DATA = os.path.join(os.environ.get("DATELINE_SHARED", os.path.join(os.path.dirname(ROOT), "shared")), "data")
# The first part of a label's id names the source; in these files the id has that part already.
WITH_PREFIX = {"cfi": "articles/cfi", "allsides": "articles/allsides"}
FILES = WITH_PREFIX | {name: f"corpora/{name}" for name in ("news", "enwiki", "market_blogs", "reuters_c50", "socialistworker")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", action="append", choices=sorted(FILES), help="only articles of this source; may be repeated")
    sources = set(parser.parse_args().source or FILES)
    with open(LABELS, encoding="utf-8") as file:
        labels = {row["id"]: row for row in map(json.loads, file) if row["id"].split("/")[0] in sources}
    missing = set(labels)
    for source, name in sorted(FILES.items()):
        if source not in sources:
            continue
        path = os.path.join(DATA, name + ".jsonl.zst")
        with subprocess.Popen(["zstd", "-dc", path], stdout=subprocess.PIPE) as process:
            for line in process.stdout:
                article = json.loads(line)
                key = article["id"] if source in WITH_PREFIX else f"{source}/{article['id']}"
                if key not in missing:
                    continue
                missing.discard(key)
                print(json.dumps({"id": key, "source": source, "title": article.get("title") or "", "body": article["body"],
                                  "date": article.get("date") or "", "issues": labels[key]["issues"],
                                  "countries": labels[key]["countries"]}, ensure_ascii=False))
    if missing:
        sys.exit(f"{len(missing)} labelled articles are missing, {sorted(missing)[0]} among them")


if __name__ == "__main__":
    main()

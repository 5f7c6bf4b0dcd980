#!/usr/bin/python3
"""Rules about the files of the tree that no compiler knows.

Prints one line for each violation, and exits with 1 if there is any. `--root` names another tree.
"""

import argparse
import json
import os
import re
import subprocess
import sys

SKIPPED_FOLDERS = {".git", "build", "data", "node_modules", "__pycache__"}
# Data may hold any text: nothing is said about it.
DATA = re.compile(r"(^samples/|/testdata/|^tests/fuzz/seeds/|^classifier_service/data/|^web/dist/|\.binpb$|\.zst$|\.png$|"
                  r"^docs/.*\.svg$)")
CODE = re.compile(r"\.(cc|h|py|sh|ts|js|mjs|css|html|cmake|proto|go|yml|yaml)$|CMakeLists\.txt$|^(run|test)\.sh$")

# Written in pieces, so that this file is none of those it looks for.
WORKPLACE = re.compile(r"(?:^|[\s\"'=(:`])/(?:" + "|".join(["work", "root", "tmp/w"]) + r")/[a-z]", re.MULTILINE)
REGISTRIES = re.compile("|".join(re.escape(a + b) for a, b in [
    ("deb.debian", ".org"), ("registry.npmjs", ".org"), ("registry.yarnpkg", ".com"), ("pypi", ".org"),
    ("proxy.golang", ".org")]))
UNFINISHED = re.compile(r"\b(?:" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X"]) + r")\b")


def files(root):
    """Paths of all files that git would commit, or of all files where there is no git."""
    done = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "-z"], capture_output=True,
                          check=False) if os.path.exists(os.path.join(root, ".git")) else None
    if done is not None and done.returncode == 0:
        names = done.stdout.decode().split("\0")
        return sorted(n for n in names if n and os.path.isfile(os.path.join(root, n)))
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if f not in SKIPPED_FOLDERS]
        found += [os.path.relpath(os.path.join(folder, n), root) for n in names]
    return sorted(found)


def lock_file_problems(text):
    def walk(node, path):
        if isinstance(node, dict):
            for key, value in node.items():
                if key == "resolved" and isinstance(value, str) and "://" in value:
                    yield f"{path}: names the host that it came from (use .npmrc's omit-lockfile-registry-resolved)"
                yield from walk(value, key)
        elif isinstance(node, list):
            for value in node:
                yield from walk(value, path)
    yield from walk(json.loads(text), "")


def violations(root):
    """Yields (file, line, problem); line 0 stands for the whole file."""
    for path in files(root):
        if DATA.search(path):
            continue
        try:
            with open(os.path.join(root, path), encoding="utf-8") as file:
                text = file.read()
        except UnicodeDecodeError:
            yield path, 0, "is not UTF-8"
            continue
        if os.path.basename(path) == "package-lock.json":
            for problem in lock_file_problems(text):
                yield path, 0, problem
            continue
        for rule, problem in ((WORKPLACE, "names an absolute path that exists on one machine only"),
                              (REGISTRIES, "names the host of a package registry")):
            for match in rule.finditer(text):
                yield path, text.count("\n", 0, match.start()) + 1, problem
        if CODE.search(path):
            for match in UNFINISHED.finditer(text):
                yield path, text.count("\n", 0, match.start()) + 1, f"{match.group(0)}: finish it, or open an issue"
        if path.endswith(".proto") and path.startswith("proto/"):
            for match in re.finditer(r'^import (?:public )?"([^"]+)"', text, re.MULTILINE):
                if not re.match(r"(google/protobuf|dateline)/", match.group(1)):
                    yield path, text.count("\n", 0, match.start()) + 1, "proto/ imports nothing but google/protobuf/*"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    root = os.path.normpath(parser.parse_args().root)
    found = list(violations(root))
    for path, line, problem in found:
        print(f"{path}:{line}: {problem}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

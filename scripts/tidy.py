#!/usr/bin/python3
"""Runs clang over all of our own C++, each file only if something that it depends on has changed.

  scripts/tidy.py tidy    [--build DIR] [FILE...]  clang-tidy on every source: clang's own warnings, -Wthread-safety
                                                   among them, and the checks of .clang-tidy; with other versions than
                                                   14, Debian 12's, which have other checks, clang++'s warnings alone
  scripts/tidy.py headers [--build DIR] [FILE...]  clang++ -fsyntax-only on every header by itself, with -Wthread-safety

--build names a build folder with compile_commands.json whose generated headers are built (default: build/release).
Without FILEs, every source in compile_commands.json (or every header beside one) is looked at, but for generated ones.

A file that passed is remembered by the hash of itself, of every header of ours (generated ones included) that it
includes directly or not, of its flags, of .clang-tidy and of the compiler's version. The memory is kept in
$XDG_CACHE_HOME/dateline/tidy, or ~/.cache/dateline/tidy, or build/tidy-cache where there is no home. Prints only what
was found; exits with 1 if anything was.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)


def cache_dir():
    base = os.environ.get("XDG_CACHE_HOME") or (
        os.path.join(os.environ["HOME"], ".cache") if os.environ.get("HOME") else None)
    return os.path.join(base, "dateline", "tidy") if base else os.path.join(ROOT, "build", "tidy-cache")


class Sources:
    """Contents and hashes of files, and what they include: read once each."""

    def __init__(self, build, include_dirs):
        self.build = build
        self.include_dirs = include_dirs
        self.direct = {}
        self.hashes = {}

    def _read(self, path):
        if path not in self.direct:
            with open(path, "rb") as file:
                content = file.read()
            self.hashes[path] = hashlib.sha256(content).hexdigest()
            found = []
            for name in INCLUDE.findall(content):
                for folder in [os.path.dirname(path), *self.include_dirs]:
                    candidate = os.path.normpath(os.path.join(folder, name.decode("utf-8", "replace")))
                    if os.path.isfile(candidate):
                        found.append(candidate)
                        break
            self.direct[path] = found
        return self.direct[path]

    def digest(self, path):
        """One hash for a file and all that it includes of ours."""
        seen, todo = {path}, [path]
        while todo:
            for included in self._read(todo.pop()):
                if included not in seen:
                    seen.add(included)
                    todo.append(included)
        # The same in whichever folder the tree and the build lie.
        names = (f"{os.path.relpath(p, self.build if p.startswith(self.build + os.sep) else ROOT)} {self.hashes[p]}"
                 for p in seen)
        return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()


def flags_of(entry):
    """The flags that matter to a front end: no compiler launcher, no outputs, no dependency files."""
    words = entry["arguments"] if "arguments" in entry else shlex.split(entry["command"])
    while words and not re.search(r"(\+\+|cc|gcc|clang)(-\d+)?$", os.path.basename(words[0])) or (
            words and os.path.basename(words[0]) == "ccache"):
        words = words[1:]
    flags, skip = [], False
    for word in words[1:]:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MT", "-MQ"):
            skip = True
        elif word not in ("-c", "-MD", "-MMD", entry["file"]) and not word.startswith("-fsanitize"):
            flags.append(word)
    return flags


def is_ours(path, build):
    return path.startswith(ROOT + os.sep) and not path.startswith(build + os.sep) and os.sep + "build" + os.sep not in path


def headers_beside(entries):
    """Each header of ours, with the flags of a source that can stand for it: its own, or one in its folder."""
    by_stem, by_folder = {}, {}
    for path, flags in sorted(entries.items()):
        by_stem[os.path.splitext(path)[0]] = flags
        by_folder.setdefault(os.path.dirname(path), flags)
    result = {}
    for folder, flags in by_folder.items():
        for name in os.listdir(folder):
            if name.endswith(".h"):
                path = os.path.join(folder, name)
                stem = os.path.splitext(path)[0]
                result[path] = by_stem.get(stem) or by_stem.get(stem + "_test") or flags
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["tidy", "headers"])
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_intermixed_args()

    build = os.path.abspath(arguments.build)
    program = "clang-tidy" if arguments.mode == "tidy" else "clang++"
    if shutil.which(program) is None:
        sys.exit(f"tidy.py: {program} is not installed (scripts/setup.sh --for test installs it)")
    try:
        with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
            commands = json.load(file)
    except OSError:
        sys.exit(f"tidy.py: {build} is no build folder: run cmake --preset release and build it first")

    entries = {os.path.normpath(c["file"]): flags_of(c) for c in commands if c["file"].endswith(".cc")}
    entries = {path: flags for path, flags in entries.items() if is_ours(path, build) and os.path.isfile(path)}
    jobs = entries if arguments.mode == "tidy" else headers_beside(entries)
    if arguments.files:
        wanted = {os.path.abspath(f) for f in arguments.files}
        jobs = {path: flags for path, flags in jobs.items() if path in wanted}

    with open(os.path.join(ROOT, ".clang-tidy"), "rb") as file:
        config = file.read() if arguments.mode == "tidy" else b""
    with open("/etc/os-release", "rb") as file:
        system = file.read()  # Stands for the versions of all system headers.
    version = subprocess.run([program, "--version"], capture_output=True, check=True).stdout
    major = re.search(rb"version (\d+)\.", version)
    warnings_only = arguments.mode == "tidy" and (major is None or major.group(1) != b"14")
    if warnings_only:
        print("skipped: the checks of .clang-tidy, which version 14 decides; clang's warnings are looked at", flush=True)

    def command_for(path, flags):
        if arguments.mode == "headers":
            return ["clang++", *flags, "-Wthread-safety", "-Werror", "-Wno-unknown-warning-option", "-fsyntax-only",
                    "-xc++-header", "-Wno-unused-const-variable", path]
        if warnings_only:
            return ["clang++", *flags, "-Wthread-safety", "-Werror", "-Wno-unknown-warning-option", "-fsyntax-only", path]
        return ["clang-tidy", "--quiet", path, "--", *flags, "-Wthread-safety", "-Wno-unknown-warning-option"]

    recipe = " ".join(command_for("", [])).encode()
    common = hashlib.sha256(b"\0".join([config, system, version, recipe])).hexdigest()

    sources = Sources(build, [ROOT, os.path.join(build, "generated"), *[
        f[2:] for flags in entries.values() for f in flags if f.startswith("-I") and f[2:].startswith(build)]])
    cache = cache_dir()
    os.makedirs(cache, exist_ok=True)

    def key_of(path):
        flags = " ".join(jobs[path]).replace(build, "BUILD").replace(ROOT, "ROOT")
        return hashlib.sha256(f"{arguments.mode} {common} {flags} {sources.digest(path)}".encode()).hexdigest()

    todo = []
    for path in sorted(jobs):
        mark = os.path.join(cache, key_of(path))
        if os.path.exists(mark):
            os.utime(mark)
        else:
            todo.append((path, mark))

    def run(item):
        path, mark = item
        command = command_for(path, jobs[path])
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", cwd=build, check=False)
        if done.returncode == 0:
            with open(mark, "w", encoding="utf-8"):
                pass
            return path, ""
        noise = re.compile(r"^(\d+ warnings?.*generated\.|Suppressed \d+.*|Use -header-filter.*)$")
        said = [line for line in (done.stdout + done.stderr).splitlines() if not noise.match(line)]
        return path, "\n".join(said) or f"{path}: {program} ended with {done.returncode}"

    start = time.monotonic()
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for path, said in pool.map(run, todo):
            if said:
                bad += 1
                print(said, flush=True)
    print(f"{arguments.mode}: {len(jobs)} files, {len(jobs) - len(todo)} unchanged since they passed, {bad} with findings, "
          f"{time.monotonic() - start:.0f} s", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

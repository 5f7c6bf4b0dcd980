#!/usr/bin/python3
"""Starts the real services for a test, each on a port of its own choosing, and stops them as an operator would.

In a Python test:

    from services import Services
    with Services(bin_dir) as dateline:
        talk_to(dateline.search.address)          # "127.0.0.1:40123"

Around a test in any other language; the command finds the addresses in its environment, and in its arguments
where they say {search}, {classifier}, {gateway}, {data_dir}:

    services.py --bin build/dev/bin -- node e2e.mjs --base http://{gateway}

Each service listens on 127.0.0.1:0 and says in its `ready` log line which port it got. Leaving the block sends
SIGTERM to each and fails unless each exits with 0 within `stop_timeout` seconds: that every server drains cleanly
is checked by every test that uses this file.
"""

import argparse
import collections
import ctypes
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

READY_WORD = re.compile(r"\bready\b")
# `port=40123`, `"port":40123`, `port: 40123`, or, failing that, the address itself.
READY_PORT = (
    re.compile(r"\bport\"?\s*[=:]\s*\"?(\d{1,5})\b"),
    re.compile(r"127\.0\.0\.1:(\d{1,5})\b"),
)
LINES_KEPT = 2000
PR_SET_PDEATHSIG = 1


class ServiceError(AssertionError):
    """A service did not start, or did not stop as it should; the message carries the end of its log."""


def _die_with_parent():
    """Runs in the child: a test that is killed must not leave servers behind."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Service:
    """One running server process. `address` is what a client dials."""

    def __init__(self, name, argv, ready_timeout=60.0, env=None):
        self.name = name
        self.argv = [str(word) for word in argv]
        self.port = None
        self._lines = collections.deque(maxlen=LINES_KEPT)
        self._changed = threading.Condition()
        self._log_ended = False
        self._process = subprocess.Popen(
            self.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            preexec_fn=_die_with_parent,
        )
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        self._await_ready(ready_timeout)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self._process.pid

    def log(self):
        """What the server has written so far, stdout and stderr together (the last 2,000 lines)."""
        with self._changed:
            return "\n".join(self._lines)

    def wait_for_log(self, pattern, timeout=30.0, nth=1):
        """Returns the first log line that matches the regular expression, or the nth; fails after `timeout` seconds."""
        expression = re.compile(pattern)

        def found():
            return next(itertools.islice((line for line in self._lines if expression.search(line)), nth - 1, None), None)

        with self._changed:
            self._changed.wait_for(lambda: found() or self._log_ended, timeout)
            line = found()
        if line is None:
            raise ServiceError(f"{self.name}: no log line matches {pattern!r} within {timeout} s\n{self.tail()}")
        return line

    def rss_bytes(self):
        """Resident memory of the process now."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        return 0

    def running(self):
        return self._process.poll() is None

    def terminate(self, timeout=30.0):
        """SIGTERM, and the exit status; fails when the process outlives `timeout` seconds."""
        if self.running():
            self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise ServiceError(f"{self.name}: still running {timeout} s after SIGTERM\n{self.tail()}") from error
        self._reader.join(5)
        return status

    def kill(self):
        """SIGKILL: what a power cut looks like to the process."""
        if self.running():
            self._process.kill()
        self._process.wait()
        self._reader.join(5)

    def tail(self, lines=40):
        with self._changed:
            kept = list(self._lines)[-lines:]
        if self._process.poll() is not None:
            kept.append(f"(exit status {self._process.returncode})")
        return "\n".join(f"  {self.name}| {line}" for line in kept) or f"  {self.name}| (no output)"

    def _read_log(self):
        for raw in self._process.stdout:
            line = raw.decode("utf-8", "replace").rstrip("\n")
            with self._changed:
                self._lines.append(line)
                if self.port is None and READY_WORD.search(line):
                    self.port = _port_of(line)
                self._changed.notify_all()
        with self._changed:
            self._log_ended = True
            self._changed.notify_all()

    def _await_ready(self, timeout):
        with self._changed:
            self._changed.wait_for(lambda: self.port is not None or self._log_ended, timeout)
            port = self.port
        if port is None:
            self.kill()
            raise ServiceError(f"{self.name}: no `ready` line with a port within {timeout} s: {self.argv}\n{self.tail()}")


def _port_of(line):
    for expression in READY_PORT:
        match = expression.search(line)
        if match and int(match.group(1)) > 0:
            return int(match.group(1))
    return None


class Services:
    """classifier_service, search_service and web_gateway, wired to each other, with a data folder of their own.

    bin_dir: where the binaries are. data_dir: kept when given, else a temporary folder that is removed at the end.
    *_args: further flags for one server. Any of the three can be left out (with_classifier=False starts the search
    service against an address where nobody listens). Not thread-safe.
    """

    def __init__(self, bin_dir, data_dir=None, with_classifier=True, with_search=True, with_gateway=True,
                 classifier_args=(), search_args=(), gateway_args=(), stop_timeout=30.0):
        self.bin_dir = os.path.abspath(bin_dir)
        self.classifier = None
        self.search = None
        self.gateway = None
        self._temporary = None if data_dir else tempfile.mkdtemp(prefix="dateline-test-")
        self.data_dir = os.path.abspath(data_dir or self._temporary)
        self._with = (with_classifier, with_search, with_gateway)
        self._args = (list(classifier_args), list(search_args), list(gateway_args))
        self._stop_timeout = stop_timeout
        self.search_env = None  # Further variables of search_service's environment.

    def binary(self, name):
        path = os.path.join(self.bin_dir, name)
        if not os.access(path, os.X_OK):
            raise ServiceError(f"{path}: no such program; build it first")
        return path

    def start_classifier(self, listen="127.0.0.1:0"):
        self.classifier = Service(
            "classifier_service", [self.binary("classifier_service"), "--listen", listen, *self._args[0]])
        return self.classifier

    def start_search(self, listen="127.0.0.1:0", classifier=None):
        self.search = Service("search_service", [
            self.binary("search_service"), "--listen", listen, "--data_dir", self.data_dir,
            "--classifier", classifier or self.classifier_address(), *self._args[1]], env=self.search_env)
        return self.search

    def start_gateway(self, listen="127.0.0.1:0"):
        self.gateway = Service("web_gateway", [
            self.binary("web_gateway"), "--listen", listen, "--search", self.search.address,
            "--classifier", self.classifier_address(), *self._args[2]])
        return self.gateway

    def classifier_address(self):
        # Port 1 is reserved and nobody listens there: a refused connection, at once.
        return self.classifier.address if self.classifier else "127.0.0.1:1"

    def environment(self):
        """How a test in another language finds the servers."""
        found = {"DATELINE_BIN": self.bin_dir, "DATELINE_DATA_DIR": self.data_dir}
        for name, service in (("CLASSIFIER", self.classifier), ("SEARCH", self.search), ("GATEWAY", self.gateway)):
            if service:
                found[f"DATELINE_{name}"] = service.address
        return found

    def logs(self):
        return "\n".join(service.tail() for service in (self.classifier, self.search, self.gateway) if service)

    def __enter__(self):
        try:
            with_classifier, with_search, with_gateway = self._with
            if with_classifier:
                self.start_classifier()
            if with_search:
                self.start_search()
            if with_gateway:
                self.start_gateway()
        except BaseException:
            self._abandon()
            raise
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            print(f"services, when the test failed:\n{self.logs()}", file=sys.stderr)
            self._abandon()
            return
        try:
            # Callers before callees, so that nobody sees its backend go first.
            for service in (self.gateway, self.search, self.classifier):
                if service is None:
                    continue
                status = service.terminate(self._stop_timeout)
                if status != 0:
                    raise ServiceError(f"{service.name}: exit status {status} after SIGTERM\n{service.tail()}")
        finally:
            self._abandon()

    def _abandon(self):
        for service in (self.gateway, self.search, self.classifier):
            if service is not None:
                service.kill()
        if self._temporary:
            shutil.rmtree(self._temporary, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(
        description="Run a command against freshly started Dateline services; its exit status is the result.")
    parser.add_argument("--bin", required=True, help="folder of the built programs")
    parser.add_argument("--data_dir", help="data folder to keep; a temporary one when not given")
    parser.add_argument("--no_gateway", action="store_true", help="start classifier and search only")
    parser.add_argument("--search_args", default="", help="further flags of search_service, separated by spaces")
    parser.add_argument("--gateway_args", default="", help="further flags of web_gateway, separated by spaces")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="-- COMMAND ARGUMENT…")
    options = parser.parse_args()
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        parser.error("no command given")
    try:
        with Services(options.bin, data_dir=options.data_dir, with_gateway=not options.no_gateway,
                      search_args=options.search_args.split(),
                      gateway_args=options.gateway_args.split()) as dateline:
            places = {
                "search": dateline.search.address,
                "classifier": dateline.classifier.address,
                "gateway": dateline.gateway.address if dateline.gateway else "",
                "data_dir": dateline.data_dir,
            }
            words = [re.sub(r"\{(search|classifier|gateway|data_dir)\}", lambda m: places[m.group(1)], word)
                     for word in command]
            status = subprocess.run(words, env={**os.environ, **dateline.environment()}, check=False).returncode
            if status != 0:
                print(f"services, when the command failed:\n{dateline.logs()}", file=sys.stderr)
    except ServiceError as error:
        print(error, file=sys.stderr)
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())

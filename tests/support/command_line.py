"""The programs as a person or a job runs them, for tests in Python of what they print and how they end."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest


def run_program(path, *arguments, stdin=None, timeout=120, env=None):
    """Runs a program; its output as text. Arguments may be bytes. `env` is added to the environment, from which what
    names a proxy is taken out: nothing stands between the program and the services and sites on loopback."""
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return subprocess.run([path, *arguments], input=stdin, capture_output=True, timeout=timeout,
                          env={**environment, **(env or {})}, encoding="utf-8", check=False)


def json_lines(text):
    return [json.loads(line) for line in text.splitlines()]


class CommandLineTest(unittest.TestCase):
    """A temporary folder and helpers."""

    maxDiff = None

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="dateline-cli-")
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)

    def write(self, name, content):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return path

    def assert_exit(self, result, code):
        self.assertEqual(result.returncode, code, f"stdout:\n{result.stdout}\nstderr:\n{result.stderr}")

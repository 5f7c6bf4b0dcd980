#!/usr/bin/python3
"""search_service as an operator runs it: synonyms of one's own, loaded again while it runs.

    search_test.py --bin build/dev/bin [-k PATTERN]
"""

import argparse
import json
import os
import re
import signal
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import command_line  # noqa: E402
from command_line import CommandLineTest  # noqa: E402
from services import Services  # noqa: E402

BIN = None
TIMEOUT = 60


def run(*arguments, **options):
    return command_line.run_program(os.path.join(BIN, arguments[0]), *arguments[1:], **options)


class Synonyms(CommandLineTest):

    def test_a_broken_file_stops_the_start_with_its_line_and_the_remedy(self):
        path = self.write("synonyms.txt", "oil, petroleum\noil, crude oil\n")
        result = run("search_service", "--data_dir", os.path.join(self.dir, "data"), "--synonyms", path)
        self.assert_exit(result, 1)
        self.assertRegex(result.stderr, r"^search_service: --synonyms: .*synonyms\.txt: line 2: \"crude oil\" is not one "
                                        r"word; write single words.*\n$")
        result = run("search_service", "--data_dir", os.path.join(self.dir, "data"), "--synonyms", path + ".none")
        self.assert_exit(result, 1)
        self.assertRegex(result.stderr, r"^search_service: --synonyms: .* cannot be read; check the path.*\n$")
        self.assertFalse(os.path.exists(os.path.join(self.dir, "data")))

    def test_a_hangup_loads_them_again_and_keeps_them_where_the_file_is_broken(self):
        path = self.write("synonyms.txt", "oil, petroleum\n")
        article = self.write("one.jsonl", json.dumps({"id": "one", "title": "Markets", "body": "Petroleum fell."}) + "\n")
        with Services(BIN, with_classifier=False, with_gateway=False, search_args=["--synonyms", path]) as services:
            def dateline(*arguments):
                result = run("dateline", "--search", services.search.address, *arguments)
                self.assert_exit(result, 0)
                return result.stdout

            def found(query):
                return [hit["article"]["id"]
                        for hit in json.loads(dateline("search", query, "--output", "json")).get("hits", [])]

            dateline("ingest", article, "--wait", "visible")
            self.assertEqual(found("oil"), ["one"])
            self.assertIn('synonyms were searched for as well: "petroleum" for "oil"', dateline("search", "oil"))
            self.assertEqual(found("crude"), [])
            for text, log, oil, crude in (("crude, petroleum\n", "reloaded", [], ["one"]),
                                          ("crude\n", "reload_failed", [], ["one"]),
                                          ("oil => petroleum\n", "reloaded", ["one"], [])):
                before = len(re.findall(rf" {log}\b", services.search.log()))
                self.write("synonyms.txt", text)
                os.kill(services.search.pid, signal.SIGHUP)
                services.search.wait_for_log(rf" {log}\b", TIMEOUT, nth=before + 1)
                self.assertEqual((found("oil"), found("crude")), (oil, crude), text)


def main():
    global BIN
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True, help="folder of the built programs")
    options, rest = parser.parse_known_args()
    BIN = os.path.abspath(options.bin)
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2, warnings="ignore")


if __name__ == "__main__":
    main()

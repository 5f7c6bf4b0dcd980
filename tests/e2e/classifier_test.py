#!/usr/bin/python3
"""classifier_service as an operator runs it: an overlay of one's own, --check, reload while calls run; profiles and
priors from the command, from a program and in ingestion.

    classifier_test.py --bin build/dev/bin [-k PATTERN]
"""

import argparse
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import command_line  # noqa: E402
from command_line import CommandLineTest, json_lines  # noqa: E402
from services import Services  # noqa: E402

BIN = None
TIMEOUT = 120

# Of no country, unless "Harbour Street" is one.
HARBOUR = {"title": "Harbour Street waits",
           "body": "Harbour Street said on Monday that it would wait. So did all of Harbour Street."}
OVERLAY = "Harbour Street\tOM\tMETONYM\t\tdesk\t\t\t\n"
BROKEN = "Harbour Street\tOM\tSTREET\nOz\tZZ\tNAME\n"

OMAN = {"title": "Oman's quiet diplomacy",
        "body": "Omani officials carried messages all summer.\n\nMuscat speaks with everybody, and Oman gains from it. "
                "The sultan received guests, and Omani banks lent.\n\nKuwait was told."
                + 8 * " Much of the talk was of trade with Iran."}


def run(*arguments, **options):
    return command_line.run_program(os.path.join(BIN, arguments[0]), *arguments[1:], **options)


def post(address, method, message):
    """Calls the gateway with JSON: status and answer."""
    connection = http.client.HTTPConnection(address, timeout=TIMEOUT)
    connection.request("POST", "/" + method, json.dumps(message), {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


class Answers:
    """The lines that a program prints, as they come. Thread-safe."""

    def __init__(self, stream):
        self.lines = []
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, args=(stream,))
        self._thread.start()

    def _read(self, stream):
        for line in stream:
            with self._changed:
                self.lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_for(self, words):
        """Until a line that comes from now on holds `words`."""
        with self._changed:
            start = len(self.lines)
            self._changed.wait_for(lambda: self._ended or any(words in line for line in self.lines[start:]), TIMEOUT)
            if not any(words in line for line in self.lines[start:]):
                raise AssertionError(f"no line with {words}")

    def wait_for_end(self):
        self._thread.join(TIMEOUT)
        return self.lines


class Check(CommandLineTest):
    """`classifier_service --check`, before anything is started or reloaded."""

    def check(self, *arguments):
        return run("classifier_service", *arguments, "--check")

    def test_what_is_in_order_is_named_by_its_version(self):
        overlay = self.write("overlay.tsv", OVERLAY)
        plain = self.check()
        self.assert_exit(plain, 0)
        self.assertEqual(plain.stderr, "")
        result = self.check("--gazetteer_overlay", overlay)
        self.assert_exit(result, 0)
        self.assertRegex(result.stdout, r"(?m)^gazetteer [0-9a-f]{16}\+[0-9a-f]{16}: .*gazetteer\.tsv and .*overlay\.tsv$")
        self.assertRegex(result.stdout, r"(?m)^taxonomy \S+: .*\n(?:.*\n)*models \S+: ")
        self.assertEqual(result.stderr, "")

    def test_everything_that_is_wrong_is_named_by_file_and_line(self):
        overlay = self.write("overlay.tsv", BROKEN)
        result = self.check("--gazetteer_overlay", overlay, "--model", self.write("model", b"\0\1"))
        self.assert_exit(result, 1)
        self.assertEqual(result.stdout, "")
        problems = result.stderr.splitlines()
        self.assertEqual(len(problems), 3, result.stderr)
        self.assertRegex(result.stderr, r'(?m)^classifier_service: .*overlay\.tsv:1: unknown kind "STREET": use ')
        self.assertRegex(result.stderr, r"(?m)^classifier_service: .*overlay\.tsv:2: ZZ is no country .*correct the code$")
        self.assertRegex(result.stderr, r"(?m)^classifier_service: issue model .*this is no issue model; train it again")

    def test_what_is_odd_is_a_warning(self):
        result = self.check("--gazetteer_overlay", self.write("overlay.tsv", OVERLAY + OVERLAY))
        self.assert_exit(result, 0)
        self.assertRegex(result.stderr, r"^classifier_service: warning: .*overlay\.tsv:2: repeats line 1")

    def test_files_that_are_not_there_are_named_by_their_flags(self):
        result = self.check("--gazetteer_overlay", "none.tsv", "--taxonomy", self.dir)
        self.assert_exit(result, 1)
        self.assertRegex(result.stderr, r"(?m)^classifier_service: --taxonomy: ")
        self.assertRegex(result.stderr, r'(?m)^classifier_service: --gazetteer_overlay: "none\.tsv" cannot be read')

    def test_a_service_does_not_start_with_a_broken_overlay(self):
        result = run("classifier_service", "--listen", "127.0.0.1:0", "--gazetteer_overlay",
                     self.write("overlay.tsv", BROKEN))
        self.assert_exit(result, 1)
        self.assertRegex(result.stderr, r"^classifier_service: .*overlay\.tsv:1: .* \(and 1 more\); --check lists all 2\n$")


class Reload(CommandLineTest):
    """SIGHUP while everything runs."""

    def setUp(self):
        super().setUp()
        self.reloads = {}
        self.overlay = self.write("overlay.tsv", "# nothing yet\n")
        self.services = self.enterContext(
            Services(BIN, classifier_args=["--gazetteer_overlay", self.overlay, "--threads", "2"]))

    def version(self):
        return post(self.services.gateway.address, "dateline.classifier.v1.ClassifierService/GetModelInfo",
                    {})[1]["gazetteerVersion"]

    def reload(self, overlay, expect):
        """Replaces the overlay, sends SIGHUP, and waits until the log says `expect` once more than before."""
        with open(self.overlay + ".new", "w", encoding="utf-8") as file:
            file.write(overlay)
        os.rename(self.overlay + ".new", self.overlay)
        self.reloads[expect] = self.reloads.get(expect, 0) + 1
        os.kill(self.services.classifier.pid, signal.SIGHUP)
        self.services.classifier.wait_for_log(rf" {expect}\b", TIMEOUT, nth=self.reloads[expect])

    def test_no_call_fails_and_each_answer_is_of_one_version(self):
        command = [os.path.join(BIN, "dateline"), "--classifier", self.services.classifier.address, "classify",
                   "--input_format", "jsonl", "--output", "jsonl"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              encoding="utf-8") as process:
            answers = Answers(process.stdout)
            done = threading.Event()

            def ask():
                number = 0
                while not done.is_set():
                    process.stdin.write(json.dumps({"id": f"h{number}", **HARBOUR}) + "\n")
                    number += 1
                process.stdin.close()
            writer = threading.Thread(target=ask)
            writer.start()
            try:
                versions = [self.version()]
                answers.wait_for(versions[0])
                for overlay in (OVERLAY, "# nothing\n", OVERLAY + "# twice\n"):
                    self.reload(overlay, "reloaded")
                    versions.append(self.version())
                    answers.wait_for(versions[-1])
            finally:
                done.set()
                writer.join(TIMEOUT)
            lines = answers.wait_for_end()
            self.assertEqual(process.wait(TIMEOUT), 0, process.stderr.read())
        self.assertEqual(len(set(versions)), 4)
        seen = set()
        for answer in map(json.loads, lines):
            self.assertNotIn("error", answer)
            seen.add(answer["gazetteerVersion"])
            # Odd ones have the street.
            tagged = [tag["regionCode"] for tag in answer["countries"]]
            self.assertEqual(tagged, ["OM"] if versions.index(answer["gazetteerVersion"]) % 2 else [])
        self.assertEqual(seen, set(versions))

    def test_what_is_broken_leaves_what_was_loaded(self):
        self.reload(OVERLAY, "reloaded")
        version = self.version()
        for broken in (BROKEN, "\0\0\0", "Oz\n"):
            self.reload(broken, "reload_failed")
            self.assertEqual(self.version(), version)
        os.unlink(self.overlay)
        os.kill(self.services.classifier.pid, signal.SIGHUP)
        self.services.classifier.wait_for_log(r"reload_problem .*--gazetteer_overlay: .*cannot be read")
        self.services.classifier.wait_for_log(r"ERROR reload_problem problem=.*overlay\.tsv:1: unknown kind")
        self.services.classifier.wait_for_log(r"ERROR reload_problem problem=.*overlay\.tsv:2: ZZ is no country")
        shown = run("dateline", "--classifier", self.services.classifier.address, "model")
        self.assert_exit(shown, 0)
        self.assertRegex(shown.stdout, r"(?m)^reload failed .*the log of classifier_service says why")
        status, answer = post(self.services.gateway.address, "dateline.classifier.v1.ClassifierService/Classify",
                              {"article": HARBOUR})
        self.assertEqual((status, answer["countries"][0]["regionCode"]), (200, "OM"))
        self.reload(OVERLAY, "reloaded")
        shown = run("dateline", "--classifier", self.services.classifier.address, "model")
        self.assertNotIn("reload failed", shown.stdout)

    def test_what_is_ingested_next_brings_search_the_new_groups(self):
        def ingest(name):
            path = self.write(f"{name}.jsonl", json.dumps({"id": name, **HARBOUR}))
            result = run("dateline", "--search", self.services.search.address, "ingest", path, "--wait", "labelled")
            self.assert_exit(result, 0)
        ingest("before")
        self.reload(OVERLAY + "Harbour Street Pact\tharbour_pact\tNAME\ten\tdesk\t\t\tdisplay\n"
                    "OM\tharbour_pact\tMEMBER\n", "reloaded")
        ingest("after")
        # An id that search doesn't know would be refused.
        found = run("dateline", "--search", self.services.search.address, "search", "--group", "harbour_pact")
        self.assert_exit(found, 0)
        found = run("dateline", "--search", self.services.search.address, "search", "--country", "OM", "--output", "json")
        self.assert_exit(found, 0)
        self.assertEqual([hit["article"]["id"] for hit in json.loads(found.stdout)["hits"]], ["after"])


class ProfilesAndPriors(CommandLineTest):
    """How readily countries are tagged, and what is known beforehand."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.services = cls.enterClassContext(
            Services(BIN, search_args=["--profile", "generous", "--prior", "IR=2", "--prior", "gcc=-1"]))

    def classify(self, *arguments):
        path = self.write("oman.jsonl", json.dumps(OMAN))
        result = run("dateline", "--classifier", self.services.classifier.address, "classify", path, "--output", "jsonl",
                     *arguments)
        self.assert_exit(result, 0)
        return {tag["regionCode"]: tag for tag in json_lines(result.stdout)[0]["countries"]}

    def test_the_command_passes_them_on(self):
        strict = self.classify("--profile", "strict")
        plain = self.classify("--profile", "generous")
        lower = self.classify("--profile", "generous", "--prior", "IR=-2")
        generous = self.classify("--profile", "generous", "--prior", "IR=1.5", "--prior", "gcc=1")
        self.assertLessEqual(set(strict), set(plain))
        self.assertGreater(generous["IR"]["score"], plain["IR"]["score"])
        self.assertLess(lower["IR"]["score"] if "IR" in lower else 0, plain["IR"]["score"])
        priors = {code: [piece["weight"] for piece in tag["evidence"] if piece["kind"] == "PRIOR"]
                  for code, tag in generous.items()}
        self.assertEqual(priors["IR"], [1.5])
        self.assertEqual(priors["OM"], [0.5])
        path = self.write("oman.jsonl", json.dumps(OMAN))
        shown = run("dateline", "--classifier", self.services.classifier.address, "classify", path, "--prior", "OM=2")
        self.assertRegex(shown.stdout, r"expected by the caller: \+2 \(prior\)")

    def test_the_gateway_takes_them_as_json(self):
        method = "dateline.classifier.v1.ClassifierService/Classify"
        status, answer = post(self.services.gateway.address, method, {
            "article": OMAN, "profile": "COUNTRY_PROFILE_GENEROUS",
            "priors": [{"regionCode": "IR", "logOdds": 1.5}, {"groupId": "gcc", "logOdds": 1}]})
        self.assertEqual(status, 200, answer)
        by_code = {tag["regionCode"]: tag for tag in answer["countries"]}
        expected = self.classify("--profile", "generous", "--prior", "IR=1.5", "--prior", "gcc=1")
        self.assertEqual({code: tag["score"] for code, tag in by_code.items()},
                         {code: tag["score"] for code, tag in expected.items()})
        for priors, field in (([{"regionCode": "ZZ", "logOdds": 1}], "priors[0].region_code"),
                              ([{"regionCode": "IR", "logOdds": 3}], "priors[0].log_odds"),
                              ([{"regionCode": "IR", "logOdds": "NaN"}], "priors[0].log_odds"),
                              ([{"logOdds": 1}], "priors[0]")):
            status, answer = post(self.services.gateway.address, method, {"article": OMAN, "priors": priors})
            self.assertEqual((status, answer["code"]), (400, "invalid_argument"))
            self.assertTrue(answer["message"].startswith(field + ": "), answer)
        status, answer = post(self.services.gateway.address, method, {"article": OMAN, "profile": "COUNTRY_PROFILE_LAX"})
        self.assertEqual((status, answer["code"]), (400, "invalid_argument"))
        status, answer = post(self.services.gateway.address, "dateline.classifier.v1.ClassifierService/BatchClassify", {
            "requests": [{"article": OMAN, "profile": "COUNTRY_PROFILE_STRICT"},
                         {"article": OMAN, "priors": [{"groupId": "none", "logOdds": 1}]}]})
        self.assertEqual(status, 200, answer)
        self.assertIn("response", answer["results"][0])
        self.assertEqual(answer["results"][1]["error"]["fieldViolations"][0]["field"], "priors[0].group_id")

    def test_what_is_ingested_is_tagged_with_them(self):
        path = self.write("oman.jsonl", json.dumps({"id": "oman", **OMAN}))
        self.assert_exit(run("dateline", "--search", self.services.search.address, "ingest", path, "--wait", "labelled"), 0)
        got = run("dateline", "--search", self.services.search.address, "get", "oman", "--output", "json")
        self.assert_exit(got, 0)
        scores = {label["regionCode"]: label["score"] for label in json.loads(got.stdout)["article"]["labels"]
                  if "regionCode" in label}
        expected = self.classify("--profile", "generous", "--prior", "IR=2", "--prior", "gcc=-1")
        self.assertEqual(scores, {code: tag["score"] for code, tag in expected.items()})
        self.assertIn("IR", scores)

    def test_wrong_ones_are_wrong_usage(self):
        for flags in (["--prior", "IR"], ["--prior", "IR=3"], ["--prior", "Iran=1"], ["--prior", "IR=1", "--prior", "IR=2"],
                      ["--profile", "lax"]):
            for command in (["dateline", "classify", "x"], ["search_service", "--data_dir", self.dir]):
                result = run(*command, *flags, timeout=20)
                self.assert_exit(result, 2)
                self.assertIn(flags[0], result.stderr)
        path = self.write("oman.jsonl", json.dumps(OMAN))
        unknown = run("dateline", "--classifier", self.services.classifier.address, "classify", path, "--prior", "ZZ=1")
        self.assert_exit(unknown, 2)
        self.assertRegex(unknown.stderr, r'^dateline: --prior: "ZZ" is no country of the taxonomy')

    def test_a_prior_that_no_taxonomy_knows_holds_tagging_up_and_refuses_nothing(self):
        with Services(BIN, with_classifier=False, with_search=False, with_gateway=False,
                      search_args=["--prior", "no_such_group=1"]) as other:
            other.start_search(classifier=self.services.classifier.address)
            path = self.write("oman.jsonl", json.dumps({"id": "oman", **OMAN}))
            self.assert_exit(run("dateline", "--search", other.search.address, "ingest", path, "--wait", "visible"), 0)
            other.search.wait_for_log(r'labeler_unavailable .*--prior: .*no_such_group.* is in no taxonomy')
            got = run("dateline", "--search", other.search.address, "get", "oman", "--output", "json")
            self.assertEqual(json.loads(got.stdout)["article"]["labelState"], "LABEL_STATE_PENDING")


def main():
    global BIN
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True, help="folder of the built programs")
    options, rest = parser.parse_known_args()
    BIN = os.path.abspath(options.bin)
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2, warnings="ignore")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""The `dateline` command against the real services: what a job, a person and a program rely on.

    cli_test.py --bin build/dev/bin [-k PATTERN]

Each class starts services of its own on free ports; nothing is mocked.
"""

import argparse
import contextlib
import http.server
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import command_line  # noqa: E402
from command_line import CommandLineTest, json_lines  # noqa: E402
from services import Services  # noqa: E402

BIN = None
SKIPPED = 77
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))

BODY = (
    "The foreign ministers of Iran and Oman met in Muscat on Tuesday to speak of shipping through the strait. "
    "Tehran wants fewer patrols; Muscat wants quiet. Neither expects a treaty this year, and both said so. "
    "Diplomats in the region read the meeting as a sign that the talks will go on through the summer.\n\n"
    "What they agreed is small: a telephone line between the two coast guards, and a second meeting in the autumn. "
    "Small things are what this relationship is made of, and they have outlasted larger ones.")


def article(number, **fields):
    return {"id": f"article-{number}", "title": f"Ministers meet in Muscat, part {number}",
            "body": f"{BODY}\n\nThis is part {number} of the series.", "date": "2024-05-14", "source": "The Meridian",
            **fields}


def lines(*items):
    return "".join((item if isinstance(item, str) else json.dumps(item)) + "\n" for item in items)


def page(title):
    return (f"<!doctype html><html lang=en><head><title>{title} | The Meridian</title></head><body>"
            "<nav><a href=/>Home</a> <a href=/world>World</a> <a href=/about>About</a></nav>"
            f"<article><h1>{title}</h1>" + "".join(f"<p>{part}</p>" for part in BODY.split("\n\n")) +
            "</article><footer>All rights reserved. Subscribe to our newsletter.</footer></body></html>")


def run(*arguments, **options):
    return run_program("dateline", *arguments, **options)


def run_program(name, *arguments, **options):
    return command_line.run_program(os.path.join(BIN, name), *arguments, **options)


def without(closed, name, *arguments):
    """The command that runs a program without some of its standard streams, as in `<&- >&-`."""
    return ["/bin/sh", "-c", f'exec "$0" "$@" {closed}', os.path.join(BIN, name), *arguments]


class WithoutServices(CommandLineTest):
    """What needs no service, and what happens where there is none."""

    def test_help_of_every_command_teaches_by_example(self):
        overview = run("--help")
        self.assert_exit(overview, 0)
        for command in ("ingest", "sync", "extract", "classify", "evaluate", "search", "suggest", "get", "delete", "wait", "list",
                        "changes", "labels", "labels set", "labels remove", "labels clear", "labels confirm",
                        "labels export", "info", "taxonomy", "model", "health"):
            self.assertIn(command.split()[0], overview.stdout)
            result = run(*command.split(), "--help")
            self.assert_exit(result, 0)
            self.assertIn("Example", result.stdout)

    def test_version_is_that_of_the_release(self):
        result = run("--version")
        self.assert_exit(result, 0)
        self.assertRegex(result.stdout, r"^dateline \d+\.\d+\.\d+\n$")

    def test_a_wrong_command_line_is_exit_2_and_one_clear_message(self):
        for arguments in (["frobnicate"], [], ["ingest"], ["search", "x", "--page_size", "many"],
                          ["--output", "xml", "info"], ["ingest", "x", "--max_rejects", "some"],
                          ["classify", "x", "--input-format", "docx"], ["extract", "x", "--map", "text=content"]):
            result = run(*arguments)
            self.assert_exit(result, 2)
            self.assertEqual(result.stdout, "")
            self.assertNotEqual(result.stderr, "")

    def test_every_program_ends_with_2_if_its_command_line_is_wrong(self):
        for name, *arguments in (
                ["search_service"], ["search_service", "--data_dir"],
                ["search_service", "--data_dir", self.dir, "--frob"],
                ["search_service", "--data_dir", self.dir, "--listen", "nowhere"],
                ["search_service", "--data_dir", self.dir, "--queue", "many"],
                ["search_service", "--data_dir", self.dir, "--classifier", "nowhere"],
                ["classifier_service", "--threads", "0"], ["classifier_service", "--listen", "nowhere"],
                ["classifier_service", "word"], ["classifier_service", "--log_level", "loud"],
                ["web_gateway", "--listen", "nowhere"], ["web_gateway", "--search", "nowhere"],
                ["web_gateway", "--allow", "no.such.Service"], ["web_gateway", "--log_level", "loud"],
                ["web_gateway", "--cors_origin", "https://example.org/"],
                ["classifier_train"], ["classifier_train", "show"], ["classifier_train", "shwo"],
                ["classifier_train", "evaluate", "--model", "x", "--taxonomy", "y"],
                ["classifier_train", "issues", "--taxonomy", "y", "--output", "x"], ["classifier_train", "rollback"], ["classifier_train", "thresholds", "--model", "x"],
                ["dateline", "evaluate"], ["dateline", "taxonomy", "diff", "one"], ["dateline", "taxonomy", "check"],
                ["dateline"], ["dateline", "--search", "nowhere", "info"], ["dateline", "info", "--output", "xml"]):
            with self.subTest(name=name, arguments=arguments):
                result = run_program(name, *arguments, timeout=20)
                self.assert_exit(result, 2)
                self.assertEqual(result.stdout, "")
                self.assertTrue(result.stderr.startswith(f"{name}: "), result.stderr)

    def test_measuring_programs_explain_themselves_too(self):
        for name in ("rpc_bench", "engine_bench", "extraction_bench", "extraction_tool", "countries_tool", "issues_tool"):
            if not os.path.exists(os.path.join(BIN, name)):
                continue
            with self.subTest(name=name):
                shown = run_program(name, "--help", timeout=20)
                self.assert_exit(shown, 0)
                self.assertIn(f"Usage: {name} ", shown.stdout)
                wrong = run_program(name, "--no_such_flag", timeout=20)
                self.assert_exit(wrong, 2)
                self.assertTrue(wrong.stderr.startswith(f"{name}: there is no flag --no_such_flag"), wrong.stderr)

    def test_numbers_are_called_n_in_every_help(self):
        for arguments in (["web_gateway"], ["search_service"], ["classifier_service"], ["classifier_train", "issues"]):
            shown = run_program(*arguments, "--help").stdout
            self.assertRegex(shown, r"(?m)^  --threads N in \[1 - 256\]|^  --search_threads N in \[1 - 256\]")
            self.assertNotRegex(shown, r"\b(U?INT|FLOAT)\b")

    def test_help_says_what_is_of_issues_only(self):
        for arguments, words in ((["classifier_train", "evaluate"], "Measure an issue model"),
                                 (["classifier_train", "show"], "what an issue model was trained on"),
                                 (["dateline", "evaluate"], "Measure tags of countries, groups and issues"),
                                 (["dateline", "evaluate"], "`classifier_train thresholds` sets those of issues"),
                                 (["dateline", "model"], "its issue model was measured")):
            self.assertIn(words, " ".join(run_program(*arguments, "--help").stdout.split()))
        data = os.path.join(ROOT, "classifier_service/data")
        taxonomy = os.path.join(data, "taxonomy/default.textproto")
        for arguments in (["show"], ["thresholds", "--set", "trade=0.3"],
                          ["evaluate", "--taxonomy", taxonomy, "--articles", self.labelled("articles.jsonl", 2)]):
            refused = run_program("classifier_train", *arguments, "--model", os.path.join(data, "model/countries.model"))
            self.assert_exit(refused, 1)
            self.assertRegex(refused.stderr, r'--model: ".*countries\.model" is a country model, .* `dateline evaluate`')

    def test_help_names_no_folder_of_this_machine(self):
        for arguments in (["classifier_train"], ["classifier_train", "issues"], ["dateline"], ["search_service"]):
            self.assertNotIn("../", run_program(*arguments, "--help").stdout)

    def test_the_gateway_lists_what_may_be_allowed_and_ends_as_others(self):
        result = run_program("web_gateway", "--allow", "dateline.search.v1.Ingest")
        self.assert_exit(result, 2)
        self.assertRegex(result.stderr, r"^web_gateway: --allow: there is no service or method \"dateline\.search\.v1\.Ingest\"\n"
                                        r"  There are: .*dateline\.search\.v1\.IngestService, .*\n"
                                        r"`web_gateway --help` tells more\n$")

    def test_a_data_file_that_is_missing_is_named_by_its_flag(self):
        for flag in ("--taxonomy", "--gazetteer", "--model"):
            result = run_program("classifier_service", "--listen", "127.0.0.1:0", flag, os.path.join(self.dir, "none"))
            self.assert_exit(result, 1)
            self.assertRegex(result.stderr, rf'^classifier_service: {flag}: "[^"]*none" cannot be read; check the path')
        # Copied without share/dateline beside it.
        program = os.path.join(self.dir, "bin", "classifier_service")
        os.mkdir(os.path.dirname(program))
        shutil.copy(os.path.join(BIN, "classifier_service"), program)
        result = subprocess.run([program, "--listen", "127.0.0.1:0"], capture_output=True, timeout=60, encoding="utf-8",
                                check=False)
        self.assert_exit(result, 1)
        self.assertRegex(result.stderr, r'^classifier_service: --taxonomy: "[^"]*share/dateline/taxonomy/default\.textproto" '
                                        r"cannot be read; install share/dateline beside bin, or give --taxonomy FILE\n$")

    def test_a_taxonomy_is_checked_and_compared_without_a_service(self):
        default = os.path.join(ROOT, "classifier_service/data/taxonomy/default.textproto")
        checked = run("taxonomy", "check", default)
        self.assert_exit(checked, 0)
        self.assertRegex(checked.stdout, r"is a taxonomy: version default-\d+, 20 issues, 0 retired, 6 languages\n$")
        with open(default, encoding="utf-8") as file:
            text = file.read()
        changed = self.write("new.textproto", text.replace('"Public health"', '"Medicine"').replace(
            '  id: "trade"\n', '  id: "trade"\n  replaced_by: "economy"\n').replace('version: "default-1"', 'version: "mine-2"'))
        result = run("taxonomy", "diff", default, changed, "--no_counts")
        self.assert_exit(result, 0)
        self.assertIn("default-1 → mine-2: 2 changes", result.stdout)
        self.assertRegex(result.stdout, r"- trade +retired: economy stands for it\n")
        self.assertIn("A model for the old one knows all issues of the new one.", result.stdout)
        self.assertRegex(result.stdout, r"~ health +renamed: Public health → Medicine\n")
        answer = json.loads(run("taxonomy", "diff", default, changed, "--no_counts", "--output", "json").stdout)
        self.assertEqual([(change["issueId"], change["kind"]) for change in answer["changes"]],
                         [("trade", "retired"), ("health", "renamed")])
        broken = self.write("broken.textproto", 'version: "x" issue { id: "Upper Case" }')
        for arguments in (["check", broken], ["diff", default, broken, "--no_counts"]):
            refused = run("taxonomy", *arguments)
            self.assert_exit(refused, 1)
            self.assertIn("the id must be 1 to 64 of a-z, 0-9 and _", refused.stderr)
        # All that is wrong, each with its line.
        several = self.write("several.textproto", 'version: "x"\n' + "".join(
            f'issue {{ id: "{name}" names {{ language: "en" display_name: "Same" }} definition: "d" parent: "{parent}" }}\n'
            for name, parent in (("a", "b"), ("b", "a"))))
        circles = run("taxonomy", "check", several)
        self.assert_exit(circles, 1)
        self.assertRegex(circles.stderr, r'several\.textproto:2: issue "a": its parents form a circle.*\n'
                                         r'.*several\.textproto:3: issue "b": its parents form a circle.*\n'
                                         r'.*several\.textproto:3: issue "b": the name "Same" belongs to issue "a".*\n$')
        added = self.write("added.textproto", text + 'issue { id: "that_war" names { language: "en" display_name: "That war" } '
                           'definition: "d" seed_phrase: "that war" }\n')
        result = run("taxonomy", "diff", default, added, "--no_counts")
        self.assertIn("knows nothing of that_war: tagged by seed phrases until", result.stdout)
        # What only the service can know, and would refuse, is a warning.
        bare = self.write("bare.textproto", text + "".join(
            f'issue {{ id: "{name}" names {{ language: "en" display_name: "{name}" }} definition: "d" }}\n'
            for name in ("chess", "darts")))
        warned = run("taxonomy", "check", bare)
        self.assert_exit(warned, 0)
        service = run_program("classifier_service", "--taxonomy", bare, "--check")
        self.assert_exit(service, 1)
        for name, line in (("chess", text.count("\n") + 1), ("darts", text.count("\n") + 2)):
            self.assertRegex(warned.stderr, rf'warning: taxonomy \S+bare\.textproto:{line}: issue "{name}" has no seed_phrase.*'
                                            r"classifier_service --taxonomy FILE --check.*add some ten seed phrases")
            self.assertIn(f'knows nothing of issue "{name}" in line {line} of taxonomy default-1', service.stderr)
        unreachable = run("taxonomy", "diff", default, changed, "--search", "127.0.0.1:1")
        self.assert_exit(unreachable, 1)
        self.assertIn("--no_counts", unreachable.stderr)

    def labelled(self, name, count, first=0):
        """Articles about oil and about sport for a taxonomy of two issues."""
        issues = (["oil"], ["sport"])
        return self.write(name, lines(*[
            {"id": f"own-{first + n}", "title": "Markets" if n % 2 == 0 else "Matches",
             "body": (f"Crude barrels left the refineries of field {first + n}, and pipelines were full of crude."
                      if n % 2 == 0 else f"The goalkeeper of club {first + n} won the match before the league began."),
             "issues": issues[n % 2]} for n in range(count)]))

    def test_a_batch_of_one_wrong_issue_is_published_with_a_warning(self):
        data = os.path.join(ROOT, "classifier_service/data")
        model = os.path.join(self.dir, "issues.model")
        shutil.copy(os.path.join(data, "model/issues.model"), model)

        def taught(name, issue):
            corrections = self.write(name, lines(*[
                {"id": f"match-{n}", "title": f"Round {n} of the league", "issues": [issue],
                 "body": f"The goalkeeper of club {n} saved two penalties before the choir sang, and the festival of the town "
                         f"went on with a concert of {n} songs in the theatre until the painters had left the museum."}
                for n in range(54)]))
            return run_program("classifier_train", "issues", "--add", corrections, "--output", model, "--date", "2026-01-01",
                               "--taxonomy", os.path.join(data, "taxonomy/default.textproto"), timeout=120)

        wrong = taught("wrong.jsonl", "nuclear")
        self.assert_exit(wrong, 0)
        self.assertRegex(wrong.stderr, r"warning: 54 of 54 labels that apply nuclear contradict the model.*look at match-\d+ "
                                       r"\(0\.0\d\d\), .* and more in \S+wrong\.jsonl; `classifier_train rollback` takes back")
        shutil.copy(os.path.join(data, "model/issues.model"), model)
        right = taught("right.jsonl", "culture")
        self.assert_exit(right, 0)
        self.assertNotIn("warning", right.stderr)

    def test_a_site_trains_corrects_and_rolls_back_a_model_of_its_own(self):
        taxonomy = self.write("mine.textproto", 'version: "mine-1"\n' + "".join(
            f'issue {{ id: "{name}" names {{ language: "en" display_name: "{name}" }} definition: "d" }}\n'
            for name in ("oil", "sport")))
        model = os.path.join(self.dir, "mine.model")

        def train(*arguments):
            return run_program("classifier_train", "issues", "--taxonomy", taxonomy, "--output", model, "--date",
                               "2026-01-01", *arguments, timeout=120)

        def version():
            return re.search(r"^model +(\S+)", run_program("classifier_train", "show", "--model", model).stdout).group(1)

        first = train("--articles", self.labelled("articles.jsonl", 120))
        self.assert_exit(first, 0)
        self.assertIn("own (held out)", first.stdout)
        trained = version()
        # From articles of its own alone it is another learner than the default model's, unless told.
        self.assertIn("SVM, C 1,", run_program("classifier_train", "show", "--model", model).stdout)
        logistic = os.path.join(self.dir, "logistic.model")
        self.assert_exit(run_program("classifier_train", "issues", "--taxonomy", taxonomy, "--output", logistic, "--learner",
                                     "logistic", "--articles", os.path.join(self.dir, "articles.jsonl"), timeout=120), 0)
        self.assertNotIn("SVM", run_program("classifier_train", "show", "--model", logistic).stdout)
        # Broken lines end it, or are named and left out.
        with open(self.labelled("corrections.jsonl", 40, first=1000), "a", encoding="utf-8") as file:
            file.write('{"id": \n')
        corrections = os.path.join(self.dir, "corrections.jsonl")
        refused = train("--add", corrections)
        self.assert_exit(refused, 1)
        self.assertIn("line 41: ends in the middle of its JSON", refused.stderr)
        self.assertIn("--keep_going", refused.stderr)
        corrected = train("--add", corrections, "--keep_going")
        self.assert_exit(corrected, 0)
        self.assertIn("1 broken lines left out", corrected.stderr)
        self.assertNotEqual(version(), trained)
        rolled_back = run_program("classifier_train", "rollback", "--model", model)
        self.assert_exit(rolled_back, 0)
        self.assertEqual(version(), trained)
        # A worse model is not published unless told: this one hardly learns.
        articles = os.path.join(self.dir, "articles.jsonl")
        worse = train("--articles", articles, "--cost", "0.0000001")
        self.assert_exit(worse, 1)
        self.assertRegex(worse.stderr, r"not published: on \d+ held-out articles its micro-F1 is .*--force publishes it")
        self.assertEqual(version(), trained)
        self.assert_exit(train("--articles", articles, "--cost", "0.0000001", "--force"), 0)
        self.assertNotEqual(version(), trained)
        # Nor one of which nothing says whether it is.
        unknown = train("--articles", self.labelled("few.jsonl", 4, first=2000), "--hold_out", "0")
        self.assert_exit(unknown, 1)
        self.assertRegex(unknown.stderr, "not published: no article was held out that .* had not learned from")
        # Names of the site's own, in both ways of giving them.
        names = self.write("names.txt", "Fuel desk = issue:oil, country:OM\nPitch = sport\n")
        own = self.write("desks.jsonl", lines(*[
            {"id": f"desk-{n}", "title": "Markets", "body": f"Crude barrels left the refineries of field {n}.",
             "issues": ["Fuel desk"]} for n in range(5)]))
        plain = run_program("classifier_train", "evaluate", "--model", model, "--taxonomy", taxonomy, "--articles", own)
        self.assert_exit(plain, 0)
        self.assertIn("Fuel desk (5)", plain.stderr)
        mapped = run_program("classifier_train", "evaluate", "--model", model, "--taxonomy", taxonomy, "--articles", own,
                             "--label_map", names)
        self.assert_exit(mapped, 0)
        self.assertRegex(mapped.stdout, r"oil +5 positive")
        # An issue that the model doesn't know says how many examples it takes, and goes by its seed phrases and by those
        # that came meanwhile. What was given before counts once; other languages are left out.
        with open(taxonomy, encoding="utf-8") as file:
            wider = self.write("wider.textproto", file.read() + 'issue { id: "works" names { language: "en" display_name: '
                               '"Works" } definition: "d" seed_phrase: "bridge repairs" }\n')
        few = self.write("works.jsonl", lines(*[
            {"id": f"works-{n}", "title": "Bridges", "body": f"The bridge of road {n} was closed for repairs of its deck.",
             "applied": ["Works"], "rejected": ["sport"]} for n in range(8)],
            {"id": "pont", "title": "Travaux", "body": "Le pont de la route nationale est fermé pour des réparations de "
             "son tablier jusqu'à la fin du mois de juin.", "applied": ["Works"], "rejected": []}))

        def correct(file, *arguments):
            return run_program("classifier_train", "issues", "--taxonomy", wider, "--output", model, "--add", file, *arguments)

        for _ in range(2):
            taught = correct(few, "--force")
            self.assert_exit(taught, 0)
            self.assertIn("left out because they are in languages that issue models don't know: fr (1)", taught.stderr)
            self.assertIn("works: 8 of 30 examples that it takes; until then it goes by its seed phrases and by what these "
                          "teach", taught.stderr)
        # Rejections alone are compared by the wrong tags.
        rejected = self.write("rejected.jsonl", lines(*[
            {"id": f"no-{n}", "title": "Matches", "body": f"Bridge repairs: the goalkeeper of club {n} won the match of the league.",
             "applied": [], "rejected": ["Works"]} for n in range(8)]))
        better = correct(rejected)
        self.assert_exit(better, 0)
        self.assertRegex(better.stdout, r"on 8 articles, judged by what the others teach: 0 wrong tags of issues that none of "
                                        r"them has, by \S+ 8")
        silent = self.write("silent.jsonl", lines(*[
            {"id": f"sea-{n}", "title": "Sea", "body": f"The tide rose by {n} feet over night, and fell again by noon.",
             "applied": [], "rejected": ["Works"]} for n in range(8)]))
        same = correct(silent)
        self.assert_exit(same, 1)
        self.assertIn("both models give 0 wrong tags, so that nothing tells the two apart", same.stderr)
        # Thresholds are set by hand, or for what the tags are wanted for.
        def threshold(issue):
            return re.search(rf"^{issue}: \d+ examples, threshold (\S+)$",
                             run_program("classifier_train", "show", "--model", model).stdout, re.MULTILINE).group(1)

        self.assert_exit(run_program("classifier_train", "thresholds", "--model", model, "--set", "oil=0.625"), 0)
        self.assertEqual(threshold("oil"), "0.6250")
        chosen = run_program("classifier_train", "thresholds", "--model", model, "--taxonomy", taxonomy, "--min_precision",
                             "0.9", "--articles", self.labelled("fresh.jsonl", 40, first=5000))
        self.assert_exit(chosen, 0)
        self.assertRegex(chosen.stdout, r"oil +\d+ positive  threshold 0\.6250 -> 0\.\d+  P ")
        wrong = run_program("classifier_train", "thresholds", "--model", model, "--set", "oyl=0.5")
        self.assert_exit(wrong, 1)
        self.assertIn('"oyl" is no issue of the model', wrong.stderr)
        # A file that is no model is not written over.
        foreign = self.write("foreign.model", "something else")
        kept = run_program("classifier_train", "issues", "--taxonomy", taxonomy, "--output", foreign, "--articles", articles)
        self.assert_exit(kept, 1)
        self.assertIn("this is no issue model", kept.stderr)
        with open(foreign, encoding="utf-8") as file:
            self.assertEqual(file.read(), "something else")

    def test_a_country_model_is_kept_and_rolled_back_too(self):
        gazetteer = os.path.join(ROOT, "classifier_service", "data", "gazetteer", "gazetteer.tsv")
        model = os.path.join(self.dir, "countries.model")

        def train(text, *arguments):
            articles = self.write("countries.jsonl", text)
            return run_program("classifier_train", "countries", "--articles", articles, "--gazetteer", gazetteer,
                               "--output", model, *arguments, timeout=120)

        def articles(*names):
            return lines(*[{"id": f"{name}-{n}", "title": f"{name} votes", "body": f"{name} votes for the {n}th time.",
                            "countries": [name]} for n in range(10) for name in names])

        first = train(articles("Oman", "Chile"))
        self.assert_exit(first, 0)
        self.assertNotIn("no country", first.stderr)
        version = re.search(r": (countries-\S+)", first.stderr).group(1)
        broken = '{"id": "x", "title": "T", "countries": [1]}\n'
        refused = train(articles("Oman") + broken)
        self.assert_exit(refused, 1)
        self.assertIn("line 11: countries: must be a list", refused.stderr)
        second = train(articles("Oman", "Peru") + broken, "--keep_going", "--force")
        self.assert_exit(second, 0)
        self.assertIn("1 broken lines left out", second.stderr)
        rolled_back = run_program("classifier_train", "rollback", "--model", model)
        self.assert_exit(rolled_back, 0)
        self.assertIn(version, rolled_back.stdout)
        # What goes wrong is said of a country model, whichever of the two files is damaged.
        previous = model + ".previous"
        with open(previous, "rb") as file:
            kept = file.read()
        for damaged, problem in ((kept[:len(kept) // 2], "truncated or corrupted"), (b"else", "this is no country model")):
            with open(previous, "wb") as file:
                file.write(damaged)
            failed = run_program("classifier_train", "rollback", "--model", model)
            self.assert_exit(failed, 1)
            self.assertRegex(failed.stderr, f"^classifier_train: country model .*{problem}.*classifier_train countries")
        os.remove(previous)
        failed = run_program("classifier_train", "rollback", "--model", model)
        self.assert_exit(failed, 1)
        self.assertRegex(failed.stderr, "^classifier_train: there is no .*none to bring back")
        # Broken are also articles that teach nothing, or what is wrong; also those to measure on.
        useless = lines({"id": "y", "title": "T", "countries": ["Utopia"]}, {"id": "z", "title": " ", "countries": ["OM"]})
        for given in ((articles("Oman") + useless,), (articles("Oman"), "--evaluate", self.write("useless.jsonl", useless))):
            refused = train(*given, "--force")
            self.assert_exit(refused, 1)
            self.assertRegex(refused.stderr, r'line \d+: countries: "Utopia" is no country .*--keep_going')
        kept = train(articles("Oman", "Peru") + useless, "--keep_going", "--force")
        self.assert_exit(kept, 0)
        self.assertRegex(kept.stderr, r"left out: \S+: line 22: no text; give each article a title")
        self.assertIn("2 broken lines left out", kept.stderr)
        with open(model, "w", encoding="utf-8") as file:
            file.write("something else")
        self.assert_exit(train(articles("Oman")), 1)

    def test_a_worse_country_model_is_not_published(self):
        gazetteer = os.path.join(ROOT, "classifier_service", "data", "gazetteer", "gazetteer.tsv")
        model = os.path.join(self.dir, "countries.model")

        def train(text, *arguments):
            return run_program("classifier_train", "countries", "--articles", self.write("countries.jsonl", text), "--gazetteer",
                               gazetteer, "--output", model, "--date", "2026-01-31", *arguments, timeout=120)

        def articles(right):
            return lines(*[{"id": f"{name}-{n}", "title": f"{name} votes", "countries": [name if right else "Fiji"],
                            "body": f"{name} votes for the {n}th time, and all {n} parties of {name} say it went well. "
                                    f"Guests had come, some of them from Fiji."}
                           for n in range(30) for name in ("Oman", "Chile")])

        def read():
            with open(model, "rb") as file:
                return file.read()

        first = train(articles(True))
        self.assert_exit(first, 0)
        self.assertRegex(first.stdout, r"(?m)^held out  ")
        published = read()
        again = train(articles(True))  # The same articles: as good, and the same bytes.
        self.assert_exit(again, 0)
        self.assertRegex(again.stdout, r"on \d+ held-out articles: micro-F1 1.000, by \S+ 1.000")
        self.assertRegex(again.stderr, r"warning: the two models were compared on \d+ articles only")
        self.assertEqual(read(), published)
        right = self.write("right.jsonl", articles(True).replace("Oman", "Peru"))
        worse = train(articles(False), "--hold_out", "0", "--evaluate", right)
        self.assert_exit(worse, 1)
        self.assertRegex(worse.stderr, r"not published: on \d+ held-out articles its micro-F1 is 0\.\d+, that of .*--force")
        self.assertEqual(read(), published)
        nothing = train(articles(True), "--hold_out", "0")
        self.assert_exit(nothing, 1)
        self.assertIn("nothing says which of the two is better", nothing.stderr)
        known = train(articles(True), "--hold_out", "0", "--evaluate", os.path.join(self.dir, "countries.jsonl"))
        self.assert_exit(known, 1)  # It learned from all of them itself.
        self.assertEqual(read(), published)
        forced = train(articles(False), "--hold_out", "0", "--force")
        self.assert_exit(forced, 0)
        self.assertNotEqual(read(), published)
        with open(model, "w", encoding="utf-8") as file:
            file.write("something else")
        foreign = train(articles(True))
        self.assert_exit(foreign, 1)
        self.assertIn("--output: country model", foreign.stderr)

    def test_every_program_documents_its_exit_statuses(self):
        for name in ("search_service", "classifier_service", "web_gateway", "classifier_train", "dateline"):
            result = run_program(name, "--help")
            self.assert_exit(result, 0)
            self.assertRegex(result.stdout, r"Exit status: 0 .*2 wrong usage")

    def test_a_missing_flag_is_named_with_what_it_is_for(self):
        self.assertIn("--data_dir is missing: Folder of", run_program("search_service").stderr)
        self.assertIn("PATH is missing: What to take", run("ingest").stderr)
        self.assertIn("--output needs a value", run("info", "--output").stderr)

    def test_a_mistyped_command_or_flag_is_told_from_the_right_one(self):
        for arguments, expected in (
                (["serach", "iran"], "there is no command “serach”; did you mean search?\nCommands: ingest, sync, extract,"),
                (["frobnicate"], "there is no command “frobnicate”\nCommands: ingest"),
                (["search", "iran", "--contry", "IR"], "there is no flag --contry; did you mean --country?"),
                (["search", "iran", "--contry=IR"], "`dateline search --help` tells more"),
                (["search", "-opec"], "a word that begins with a dash comes after --"),
                (["--facets", "country", "search", "iran"], "--facets comes after the command"),
                (["info", "--facets", "country"], "--facets is a flag of `dateline search`; `dateline info` has none"),
                (["info", "all"], "“all” is one word too many"),
                (["labels", "export", "groups"], "WHAT: “groups” is none of: issues, countries"),
                (["labels", "set", "x", "--replace", "all"], "--replace: “all” is none of: country, group, issue"),
                (["labels", "set", "x"], "give at least one of --country, --group and --issue"),
                (["info", "--timeout", "soon"], "--timeout: “soon” is no duration such as 30s"),
                (["search", "x", "--page_size", "many"], "--page_size: “many” is no whole number"),
                (["search", "x", "--output", "xml"], "--output: “xml” is none of: text, json, jsonl"),
                (["search", "x", "--select", "country"], "--select: “country” is not FIELD=VALUE"),
                (["health", "--service", "x"], "--address")):
            result = run(*arguments)
            self.assert_exit(result, 2)
            self.assertIn(expected, result.stderr)

    def test_help_may_be_asked_for_as_a_command(self):
        self.assertEqual(run("help").stdout, run("--help").stdout)
        self.assertEqual(run("help", "search").stdout, run("search", "--help").stdout)

    def test_help_without_a_place_to_print_it_fails(self):
        result = subprocess.run(without(">&-", "dateline", "--help"), capture_output=True, encoding="utf-8",
                                check=False)
        self.assert_exit(result, 1)
        self.assertIn("standard output cannot be written", result.stderr)

    def test_text_that_is_not_utf8_is_refused_by_the_name_of_its_argument(self):
        for arguments, name in ((["search", b"caf\xe9"], "QUERY"),
                                (["search", "x", "--filter", b"source = \xff"], "--filter"),
                                (["search", "x", "--country", b"\xff"], "--country"), (["get", b"\xff"], "ID"),
                                (["delete", b"\xff", "--yes"], "ID"), (["wait", b"\xff"], "TOKEN"),
                                (["suggest", b"\xff"], "TEXT"), (["extract", "-", "--url", b"http://\xff"], "--url"),
                                (["classify", "-", "--display_language", b"\xff"], "--display_language")):
            result = run(*arguments, stdin="")
            self.assert_exit(result, 2)
            self.assertIn(f"dateline: {name}: “", result.stderr)
            self.assertIn("is not UTF-8", result.stderr)
            self.assertNotIn("protobuf", result.stderr)
            self.assertEqual(len(result.stderr.splitlines()), 2)

    def test_a_file_may_have_any_name(self):
        path = self.write("page.html", page("Muscat Talks"))
        strange = os.fsencode(self.dir) + b"/caf\xe9.html"
        os.rename(path, strange)
        result = run("extract", strange)
        self.assert_exit(result, 0)
        self.assertIn("Muscat Talks", result.stdout)

    def test_without_standard_input_nothing_hangs(self):
        for closed in ("<&-", "<&- >&-", "<&- >&- 2>&-", "<&- 2>&-"):
            result = subprocess.run(without(closed, "dateline", "extract", "-"), capture_output=True, encoding="utf-8",
                                    timeout=20, check=False)
            self.assert_exit(result, 3)
            if "2>" not in closed:
                self.assertIn("standard input: it is closed; pipe something into the command, or name a file",
                              result.stderr)

    def test_without_standard_output_results_are_not_lost_in_silence(self):
        path = self.write("page.html", page("Muscat Talks"))
        result = subprocess.run(without(">&-", "dateline", "extract", path), capture_output=True, encoding="utf-8",
                                timeout=20, check=False)
        self.assert_exit(result, 1)
        self.assertIn("standard output could not be written", result.stderr)

    def test_servers_that_have_no_standard_streams_keep_their_places_free(self):
        for name, *arguments in (["search_service", "--data_dir", os.path.join(self.dir, "data")],
                                 ["classifier_service"], ["web_gateway"]):
            with subprocess.Popen(without("<&- >&-", name, "--listen", "127.0.0.1:0", *arguments),
                                  stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8") as process:
                self.assertTrue(any(" ready " in line for line in process.stderr), name)
                self.assertEqual([os.readlink(f"/proc/{process.pid}/fd/{number}") for number in (0, 1)],
                                 ["/dev/null", "/dev/null"], name)
                process.terminate()
                process.stderr.read()
                self.assertEqual(process.wait(30), 0)

    def test_malformed_lines_are_named_with_what_is_wrong_and_right(self):
        path = self.write("in.jsonl", b'{"title": "a", "body": "b"}\n{broken\n[1]\n{"title": "caf\xe9"}\n'
                                      b'{"title": "a"\n{"title": 7}\n{"id": "x"}\n')
        result = run("extract", path)
        self.assert_exit(result, 3)
        complaints = result.stderr.splitlines()
        self.assertEqual(len(complaints), 6, result.stderr)
        for complaint, expected in zip(complaints, (
                "line 2: malformed JSON at byte 2: invalid literal; last read: '{b'; expected string literal; write each "
                "article as one JSON object on one line", "line 3: is no JSON object but a JSON array; write each",
                "line 4: is not UTF-8 near byte 16; convert it", "line 5: ends in the middle of its JSON",
                "line 6: title: must be a string", "line 7: body: is missing, and so is the title")):
            self.assertIn(f"{path}, {expected}", complaint)
            self.assertNotIn("json.exception", complaint)

    def test_extract_prints_the_article_of_a_page(self):
        path = self.write("page.html", page("Muscat Talks"))
        text = run("extract", path)
        self.assert_exit(text, 0)
        self.assertIn("Muscat Talks", text.stdout)
        self.assertIn("telephone line", text.stdout)
        self.assertNotIn("newsletter", text.stdout)
        result = run("extract", "--output", "json", path)
        self.assert_exit(result, 0)
        found = json.loads(result.stdout)
        self.assertEqual(found["title"], "Muscat Talks")
        self.assertTrue(found["body"].startswith("The foreign ministers"))
        self.assertTrue(found["body"].endswith("outlasted larger ones."))

    def test_extract_explains_what_it_dropped(self):
        path = self.write("page.html", page("Muscat Talks"))
        result = run("extract", "--explain", path)
        self.assert_exit(result, 0)
        self.assertRegex(result.stdout, r"(?m)^\+ .*foreign ministers")

    def test_extract_reads_standard_input_and_flags_may_stand_anywhere(self):
        for arguments in (["extract", "-", "--output", "jsonl"], ["--output", "jsonl", "extract", "-"],
                          ["--output=jsonl", "extract", "--input-format=html", "-"],
                          ["extract", "--output", "jsonl", "--input_format", "html", "-"]):
            result = run(*arguments, stdin=page("Muscat Talks"))
            self.assert_exit(result, 0)
            self.assertEqual(json_lines(result.stdout)[0]["title"], "Muscat Talks")

    def test_extract_fetches_over_http_within_limits(self):
        pages = {"/page": (200, "text/html; charset=utf-8", page("Muscat Talks").encode()),
                 "/gone": (410, "text/html", b"gone"), "/large": (200, "text/html", b"<p>" + b"x" * 17_000_000)}
        with serve(pages) as base:
            result = run("extract", "--output", "json", f"{base}/page")
            self.assert_exit(result, 0)
            found = json.loads(result.stdout)
            self.assertEqual((found["title"], found["url"]), ("Muscat Talks", f"{base}/page"))
            self.assertEqual(json.loads(run("extract", "--output", "json", f"{base}/there").stdout)["url"],
                             f"{base}/page")
            for path, reason in (("/gone", "410"), ("/large", "larger than 16000000 bytes"), ("/loop", "redirects"),
                                 ("/outside", "http")):
                result = run("extract", base + path)
                self.assert_exit(result, 3)
                self.assertIn(reason, result.stderr)

    def test_extract_of_what_is_no_article_says_why(self):
        for name, content in (("empty.html", b""), ("binary.txt", bytes(range(256)) * 64)):
            result = run("extract", self.write(name, content))
            self.assert_exit(result, 3)
            self.assertIn(name, result.stderr)
        result = run("extract", os.path.join(self.dir, "missing.html"))
        self.assert_exit(result, 3)
        self.assertIn("no such file", result.stderr)

    def test_a_service_that_is_not_there_fails_the_job_and_says_what_to_do(self):
        path = self.write("in.jsonl", lines(article(1)))
        for arguments in (["ingest", path], ["search", "x"], ["info"], ["get", "x"], ["wait", "x"], ["health"]):
            result = run("--search", "127.0.0.1:1", "--classifier", "127.0.0.1:1", *arguments)
            self.assert_exit(result, 1)
            self.assertIn("127.0.0.1:1", result.stderr)
            self.assertIn("--search", result.stderr)
        result = run("--classifier", "127.0.0.1:1", "classify", path)
        self.assert_exit(result, 1)
        self.assertIn("--classifier", result.stderr)
        report = os.path.join(self.dir, "report.json")
        self.assert_exit(run("--search", "127.0.0.1:1", "ingest", path, "--report", report), 1)
        with open(report, encoding="utf-8") as file:
            said = json.load(file)
        self.assertEqual(said["exitCode"], 1)
        self.assertIn("search_service at 127.0.0.1:1 does not answer", said["error"])

    def test_a_filter_that_is_empty_is_not_no_filter(self):
        for flag in ("--country", "--group", "--issue", "--select"):
            for value in ("", " ", ",,"):
                result = run("search", flag, value)
                self.assert_exit(result, 2)
                self.assertIn(f"{flag}: holds no value", result.stderr)

    def test_addresses_come_from_the_environment_where_no_flag_gives_them(self):
        overview = run("--help").stdout
        self.assertIn("DATELINE_SEARCH", overview)
        self.assertIn("DATELINE_CLASSIFIER", overview)
        env = {"DATELINE_SEARCH": "127.0.0.1:1", "DATELINE_CLASSIFIER": "127.0.0.1:2"}
        self.assertIn("search_service at 127.0.0.1:1 ", run("info", env=env).stderr)
        self.assertIn("classifier_service at 127.0.0.1:2 ", run("model", env=env).stderr)
        self.assertIn("search_service at 127.0.0.1:3 ", run("--search", "127.0.0.1:3", "info", env=env).stderr)
        wrong = run("info", env={"DATELINE_SEARCH": "nowhere"})
        self.assert_exit(wrong, 2)
        self.assertIn("--search (or DATELINE_SEARCH): address 'nowhere' is not understood", wrong.stderr)

    def test_a_dry_run_needs_no_service_and_says_what_would_come_of_it(self):
        rejected = os.path.join(self.dir, "rejected.jsonl")
        report = os.path.join(self.dir, "report.json")
        checkpoint = self.write("job.checkpoint", "")
        arguments = [self.write("in.jsonl", lines(article(1), "{", {"url": "https://x.example/2", "title": "Two"})), "--dry_run",
                     "--rejected", rejected, "--checkpoint", checkpoint]
        result = run("--search", "127.0.0.1:9", "ingest", "--output", "jsonl", *arguments)
        self.assert_exit(result, 3)
        found = json_lines(result.stdout)
        self.assertEqual([(line["id"], line["wouldBeSent"]) for line in found],
                         [("article-1", True), ("", False), ("https://x.example/2", True)])
        self.assertEqual(found[1]["error"]["reason"], "MALFORMED_LINE")
        with open(rejected, encoding="utf-8") as file:
            self.assertEqual([record["rejection"]["position"] for record in json_lines(file.read())], ["line 2"])
        self.assertEqual(os.path.getsize(checkpoint), 0, "nothing was taken")
        result = run("--search", "127.0.0.1:9", "ingest", *arguments, "--max_rejects", "1", "--report", report)
        self.assert_exit(result, 0)
        self.assertIn("3 articles: 1 rejected, 2 would be sent", result.stdout)
        with open(report, encoding="utf-8") as file:
            report = json.load(file)
        self.assertEqual((report["dryRun"], report["wouldBeSent"], report["exitCode"]), (True, 2, 0))

    def test_dates_and_languages_that_cannot_be_read_are_counted(self):
        path = self.write("in.jsonl", lines(article(1, date="30/30/2024"), article(2, date="2999-01-01", language="gibberish"),
                                            article(3, date="2024-03-01", language="de")))
        result = run("ingest", path, "--dry_run", "-v")
        self.assert_exit(result, 0)
        self.assertIn('"30/30/2024" is no date that can be read for certain', result.stdout)
        self.assertIn('"2999-01-01" is too far in the future', result.stdout)
        self.assertIn("2 dates could not be read (-v); 1 language could not be read (-v)", result.stdout)

    def test_a_dry_run_rejects_what_the_service_would(self):
        path = self.write("in.jsonl", lines(article(1), article(2, id="an id"), article(3, url="ftp://x.example/3")))
        result = run("--search", "127.0.0.1:9", "ingest", "--output", "jsonl", path, "--dry_run")
        self.assert_exit(result, 3)
        found = json_lines(result.stdout)
        self.assertEqual([(line["wouldBeSent"], line["error"]["message"].split(":")[0] if "error" in line else "")
                          for line in found], [(True, ""), (False, "id"), (False, "url")])

    def test_what_does_not_go_with_ingest_or_sync_is_refused_with_the_remedy(self):
        path = self.write("in.jsonl", lines(article(1)))
        for arguments, expected in (
                (["ingest", path, "--checkpoint", self.write("c", "{}")], "is no checkpoint, or one of another version; name"),
                (["ingest", path, "--checkpoint", self.dir], "is a folder; name a file"),
                (["ingest", path, "--rejected", path], "would be read as well as written"),
                (["ingest", self.dir, "--rejected", os.path.join(self.dir, "new.jsonl")], "would be read as well as written"),
                (["ingest", path, "--watch=0"], "is less than 0.1s"), (["ingest", path, "--watch=soon"], "is no duration"),
                (["ingest", "-", "--watch"], "can be read only once"), (["ingest", path, "--watch", "--dry_run"], "--dry_run"),
                (["sync", path], "--host example.org"), (["sync", "https://a.example/", "https://b.example/"], "--host"),
                (["sync", path, "--host", "https://a.example/"], "is no name of a host"),
                (["sync", path, "--host", "a.example", "--checkpoint", "c"], "sync has to know what all files have")):
            with self.subTest(arguments=arguments):
                result = run(*(arguments if arguments[0] == "sync" or "--watch" in " ".join(arguments)
                               else [*arguments, "--dry_run"]))
                self.assert_exit(result, 2)
                self.assertIn(expected, result.stderr)

    def test_a_report_that_cannot_be_written_is_said_before_anything_is_done(self):
        result = run("ingest", self.dir, "--report", "/nonexistent/run.json")
        self.assert_exit(result, 1)
        self.assertIn("--report /nonexistent/run.json", result.stderr)


@contextlib.contextmanager
def serve(pages):
    """An HTTP server on loopback: /there leads to /page, /loop to itself, /outside to a file."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802
            leads_to = {"/there": "/page", "/loop": "/loop", "/outside": "file:///etc/passwd"}.get(self.path)
            if leads_to:
                self.send_response(302)
                self.send_header("Location", leads_to)
                self.end_headers()
                return
            status, media_type, content = pages[self.path]
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class SlowLink:
    """Another address of a server: every connection to it is silent for `delay` seconds, then as any other."""

    def __init__(self, address, delay):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        host, port = address.rsplit(":", 1)
        self.target, self.delay = (host, int(port)), delay
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                client = self.listener.accept()[0]
                threading.Thread(target=self.connect, args=(client,), daemon=True).start()

    def connect(self, client):
        time.sleep(self.delay)
        with contextlib.suppress(OSError):
            server = socket.create_connection(self.target)
            threading.Thread(target=self.pump, args=(client, server), daemon=True).start()
            self.pump(server, client)

    @staticmethod
    def pump(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


class WithServices(CommandLineTest):
    """One classifier for all, and a collection of its own for each test."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared = cls.enterClassContext(Services(BIN, with_search=False, with_gateway=False))

    def setUp(self):
        super().setUp()
        self.services = self.enterContext(
            Services(BIN, with_classifier=False, with_search=False, with_gateway=False))
        self.services.start_search(classifier=self.shared.classifier.address)

    def dateline(self, *arguments, **options):
        return run("--search", self.services.search.address, "--classifier", self.shared.classifier.address, *arguments,
                   **options)

    def ingest(self, *arguments, code=0, **options):
        result = self.dateline("ingest", "--output", "jsonl", *arguments, **options)
        self.assert_exit(result, code)
        return json_lines(result.stdout)

    def test_a_connection_that_is_slow_to_be_made_is_waited_for(self):
        with SlowLink(self.services.search.address, delay=1.5) as link:
            for command in (["info"], ["search", "iran"]):
                self.assert_exit(run("--search", link.address, *command), 0)
            self.assert_exit(run("--search", link.address, "--timeout", "0.2s", "info"), 1)

    def outcomes(self, answers):
        return [answer["outcome"].removeprefix("INGEST_OUTCOME_") for answer in answers]

    def test_ingesting_twice_changes_nothing(self):
        path = self.write("in.jsonl", lines(article(1), article(2), article(3)))
        first = self.ingest(path)
        self.assertEqual(self.outcomes(first), ["CREATED"] * 3)
        self.assertEqual(sorted(answer["id"] for answer in first), ["article-1", "article-2", "article-3"])
        self.assertEqual(sorted(answer["position"] for answer in first), ["line 1", "line 2", "line 3"])
        self.assertEqual(self.outcomes(self.ingest(path)), ["UNCHANGED"] * 3)
        self.write("in.jsonl", lines(article(1), article(2, title="Another title"), article(3)))
        self.assertEqual(sorted(self.outcomes(self.ingest(path))), ["UNCHANGED", "UNCHANGED", "UPDATED"])

    def test_a_raw_page_is_searchable_and_tagged_when_the_command_ends(self):
        path = self.write("page.html", page("Muscat Talks"))
        result = self.dateline("ingest", path, "--wait", "labelled")
        self.assert_exit(result, 0)
        self.assertIn("1 article: 1 created", result.stdout)
        self.assertIn("labelled", result.stdout)
        found = json.loads(self.dateline("search", "coast", "guards", "--output", "json", "--facets", "country").stdout)
        self.assertEqual(found["hits"][0]["article"]["title"], "Muscat Talks")
        self.assertIn("IR", [label.get("regionCode") for label in found["hits"][0]["article"]["labels"]])
        self.assertEqual(found["facets"][0]["field"], "region_code")
        text = self.dateline("search", "muscat", "--country", "IR,OM")
        self.assertIn("[Muscat] Talks", text.stdout)
        self.assertNotIn("\x1b", text.stdout)
        self.assertIn("\x1b", self.dateline("--color", "always", "search", "muscat").stdout)

    def test_rejected_inputs_are_exit_3_and_harm_no_other(self):
        folder = os.path.join(self.dir, "in")
        self.write("in/a.html", page("Muscat Talks"))
        self.write("in/b.txt", b"")
        self.write("in/c.html", b"\x7fELF\x02\x01\x01" + bytes(4000))
        self.write("in/d.jsonl", lines(article(1), "{broken", {"id": "no-text"}, article(2)))
        self.write("in/e.txt", b"\xff\xfe\xff" * 3000)
        self.write("in/.hidden.html", page("Hidden"))
        self.write("in/picture.png", b"\x89PNG")
        report = os.path.join(self.dir, "run.json")
        answers = self.ingest(folder, "--report", report, code=3)
        taken = [answer for answer in answers if answer["outcome"] == "INGEST_OUTCOME_CREATED"]
        rejected = [answer for answer in answers if answer["outcome"] == "INGEST_OUTCOME_REJECTED"]
        self.assertEqual({answer["title"] for answer in taken},
                         {"Muscat Talks", article(1)["title"], article(2)["title"]})
        for answer in rejected:
            self.assertNotEqual(answer["error"]["message"], "")
            self.assertNotEqual(answer["error"]["code"], 0)
        with open(report, encoding="utf-8") as file:
            report = json.load(file)
        self.assertEqual(report["exitCode"], 3)
        self.assertEqual(report["total"], len(answers))
        self.assertEqual(report["outcomes"]["created"], 3)
        self.assertEqual(report["outcomes"]["rejected"], len(rejected))
        self.assertEqual(report["skippedFiles"], 1)
        self.assertIn((os.path.join(folder, "d.jsonl"), "line 2"),
                      [(item["source"], item["position"]) for item in report["rejected"]])
        self.assertTrue(all(item["reason"] and item["message"] for item in report["rejected"]))
        self.assertGreater(report["durationSeconds"], 0)

    def test_max_rejects_allows_a_number_or_a_share(self):
        path = self.write("in.jsonl", lines(article(1), "{broken", article(2), article(3)))
        for limit, code in (("0", 3), ("1", 0), ("24%", 3), ("25%", 0), ("100%", 0)):
            self.assert_exit(self.dateline("ingest", path, "--max_rejects", limit), code)

    def test_a_missing_file_is_rejected_and_the_rest_is_taken(self):
        path = self.write("in.jsonl", lines(article(1)))
        answers = self.ingest(os.path.join(self.dir, "missing.html"), path, code=3)
        self.assertEqual(sorted(self.outcomes(answers)), ["CREATED", "REJECTED"])

    def test_feeds_are_many_articles(self):
        items = "".join(
            f"<item><title>Ministers meet, part {n}</title><link>https://example.org/{n}</link>"
            f"<description>&lt;p&gt;{BODY} Part {n}.&lt;/p&gt;</description></item>" for n in range(5))
        path = self.write("feed.rss", f'<?xml version="1.0"?><rss version="2.0"><channel><title>The Meridian</title>'
                                      f"<link>https://example.org/</link>{items}</channel></rss>")
        self.assertEqual(self.outcomes(self.ingest(path)), ["CREATED"] * 5)
        self.assertEqual(self.outcomes(self.ingest(path)), ["UNCHANGED"] * 5)
        found = json.loads(self.dateline("get", "https://example.org/3", "--output", "json").stdout)
        self.assertEqual(found["article"]["title"], "Ministers meet, part 3")

    def test_standard_input_is_read_as_a_stream(self):
        answers = self.ingest("-", "--input-format", "jsonl", stdin=lines(article(1), article(2)))
        self.assertEqual(self.outcomes(answers), ["CREATED", "CREATED"])
        self.assertEqual({answer["source"] for answer in answers}, {"-"})

    def test_piped_output_has_no_progress_bar_and_no_colours(self):
        path = self.write("in.jsonl", lines(*[article(n) for n in range(50)]))
        result = self.dateline("ingest", path)
        self.assert_exit(result, 0)
        self.assertNotIn("\r", result.stdout + result.stderr)
        self.assertNotIn("\x1b", result.stdout + result.stderr)
        self.assertEqual(result.stderr, "")
        quiet = self.dateline("--quiet", "ingest", path)
        self.assertEqual((quiet.stdout, quiet.stderr), ("", ""))

    def test_a_terminal_sees_progress_with_a_rate(self):
        path = self.write("in.jsonl", lines(*[article(n) for n in range(300)]))
        seen, status = in_terminal([os.path.join(BIN, "dateline"), "--search", self.services.search.address, "ingest",
                                    path, "--results", "none"])
        self.assertEqual(status, 0, seen)
        self.assertRegex(seen, r"\[=*>? *\] +\d+%  \d+ articles  [\d.]+/s")
        self.assertIn("300 articles: 300 created", seen)

    def test_a_report_into_a_pipe_or_through_a_link_leaves_them_what_they_are(self):
        path = self.write("in.jsonl", lines(article(1)))
        fifo = os.path.join(self.dir, "fifo")
        os.mkfifo(fifo)
        written = []

        def read():
            with open(fifo, encoding="utf-8") as file:
                written.append(file.read())

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        self.ingest(path, "--report", fifo)
        reader.join(30)
        self.assertTrue(stat.S_ISFIFO(os.stat(fifo).st_mode))
        self.assertEqual(json.loads(written[0])["total"], 1)
        target = self.write("target.json", "")
        link = os.path.join(self.dir, "link.json")
        os.symlink(target, link)
        self.ingest(path, "--report", link)
        self.assertTrue(os.path.islink(link))
        with open(target, encoding="utf-8") as file:
            self.assertEqual(json.load(file)["total"], 1)

    def test_a_wait_that_ran_out_has_a_status_of_its_own(self):
        path = self.write("in.jsonl", lines(article(1)))
        report = os.path.join(self.dir, "run.json")
        with Services(BIN, with_classifier=False, with_search=False, with_gateway=False) as services:
            services.start_search(classifier="127.0.0.1:1")
            waiting = ["--search", services.search.address, "ingest", path, "--report", report, "--wait", "labelled",
                       "--wait_timeout", "300ms"]
            result = run(*waiting)
            self.assert_exit(result, 4)
            self.assertIn("1 article: 1 created", result.stdout)
            self.assertIn("; visible, not labelled", result.stdout)
            self.assertIn("all that was taken is visible, but not labelled after 300ms", result.stderr)
            with open(report, encoding="utf-8") as file:
                found = json.load(file)
            self.assertEqual((found["exitCode"], found["error"], found["waitedFor"], found["reached"]),
                             (4, "", "labelled", "visible"))
            self.assertIn("not labelled after 300ms", found["shortfall"])
            quiet = run("--quiet", *waiting)
            self.assert_exit(quiet, 4)
            self.assertIn("not labelled after 300ms", quiet.stderr)
            wait = run("--search", services.search.address, "wait", found["commitToken"], "--for", "labelled",
                       "--wait_timeout", "300ms")
            self.assert_exit(wait, 4)
            self.assertEqual(wait.stdout, "reached visible\n")
            self.assertIn("not labelled after 300ms", wait.stderr)
            visible = run("--search", services.search.address, "ingest", path, "--report", report)
            self.assert_exit(visible, 0)
            with open(report, encoding="utf-8") as file:
                found = json.load(file)
            self.assertEqual((found["waitedFor"], found["reached"], found["shortfall"]), ("visible", "visible", ""))

    def test_without_standard_input_services_are_not_read_from(self):
        for command in (["classify"], ["ingest", "-"]):
            result = subprocess.run(without("<&-", "dateline", "--search", self.services.search.address, "--classifier",
                                            self.shared.classifier.address, *command), capture_output=True,
                                    encoding="utf-8", timeout=30, check=False)
            self.assert_exit(result, 3)
            self.assertIn("it is closed; pipe something into the command, or name a file",
                          result.stdout + result.stderr)

    def test_countries_groups_and_issues_go_by_code_or_name(self):
        labelled_by_its_source = article(2, countries=["France"], issues=["Trade"])
        self.ingest(self.write("in.jsonl", lines(article(1), labelled_by_its_source)), "--wait", "labelled")

        def found(*arguments):
            result = self.dateline("search", "--output", "json", *arguments)
            self.assert_exit(result, 0)
            return [hit["article"]["id"] for hit in json.loads(result.stdout).get("hits", [])]

        for country in ("IR", "ir", "Iran", "IRAN", "Islamic Republic of Iran", "Иран", "FI,iran", "Finland, Iran"):
            self.assertEqual(found("--country", country), ["article-1"], country)
        self.assertEqual(found("--country", "France"), ["article-2"])
        self.assertEqual(found("--country", "UK"), [])
        self.assertEqual(found("--country", "Finland", "--country", "Iran"), ["article-1"])
        self.assertEqual(found("--select", "Country=Iran"), ["article-1"])
        self.assertEqual(found("--group", "GCC", "--expand_groups"), ["article-1"])
        trade = found("--issue", "trade")
        for issue in ("Trade", "Trade, investment & sanctions", "Trade, investment & sanctions,Public health"):
            self.assertEqual(found("--issue", issue), trade, issue)
        self.assertEqual(self.dateline("search", "--country", "IR", "--facets", "Country").returncode, 0)

    def test_an_unknown_country_or_issue_is_told_from_the_nearest(self):
        for arguments, expected in ((["--country", "Irann"], "“Irann” is no country; did you mean Iran (IR)"),
                                    (["--country", "ZZ"], "--country: “ZZ” is no country"),
                                    (["--country", "EU"], "“EU” is no country, but a group: --group eu"),
                                    (["--issue", "geopolitcs"], "did you mean Geopolitics (geopolitics)?"),
                                    (["--select", "issue=geopolitcs"], "--select issue: “geopolitcs” is no issue"),
                                    (["--group", "Frobnia"], "`dateline taxonomy --show groups` lists")):
            result = self.dateline("search", *arguments)
            self.assert_exit(result, 2)
            self.assertIn(expected, result.stderr)

    def test_codes_need_no_classifier_and_names_say_that_they_do(self):
        away = ["--search", self.services.search.address, "--classifier", "127.0.0.1:1"]
        self.assert_exit(run(*away, "search", "--country", "ir"), 0)
        name = run(*away, "search", "--country", "Iran")
        self.assert_exit(name, 1)
        self.assertIn("--country: “Iran” is a name, and the classifier, which knows what it means, could not be asked",
                      name.stderr)
        self.assertIn("127.0.0.1:1", name.stderr)
        unknown = run(*away, "search", "--country", "zz")
        self.assert_exit(unknown, 2)
        self.assertIn("--country: there is no region_code \"ZZ\"", unknown.stderr)

    def test_words_after_two_dashes_are_the_query(self):
        self.ingest(self.write("in.jsonl", lines(article(1), article(2, body="The coast guards quarrel."))))
        for arguments in (["muscat", "--output", "json", "--", "-telephone"],
                          ["--output", "json", "--", "-telephone", "muscat"]):
            result = self.dateline("search", *arguments)
            self.assert_exit(result, 0)
            self.assertEqual([hit["article"]["id"] for hit in json.loads(result.stdout)["hits"]], ["article-2"])

    def test_an_empty_value_is_not_the_next_word(self):
        self.ingest(self.write("in.jsonl", lines(article(1))))
        result = self.dateline("search", "--filter=", "muscat", "--order=", "--output", "json")
        self.assert_exit(result, 0)
        self.assertEqual(len(json.loads(result.stdout)["hits"]), 1)

    def test_output_json_is_the_report(self):
        path = self.write("in.jsonl", lines(article(1)))
        result = self.dateline("ingest", path, "--output", "json")
        self.assert_exit(result, 0)
        self.assertEqual(json.loads(result.stdout)["outcomes"]["created"], 1)

    def test_classify_answers_one_line_per_line_in_order(self):
        good = [article(n) for n in range(1, 100)]
        rows = []
        for n, row in enumerate(good):
            rows.append(row)
            if n % 10 == 3:
                rows.append("{broken")
            if n % 20 == 7:
                rows.append("")
            if n % 25 == 9:
                rows.append({"id": f"textless-{n}"})
        result = self.dateline("classify", "--input-format", "jsonl", "--output", "jsonl", stdin=lines(*rows))
        self.assert_exit(result, 3)
        answers = json_lines(result.stdout)
        self.assertEqual(len(answers), len(rows))
        for number, (row, answer) in enumerate(zip(rows, answers), start=1):
            self.assertEqual(answer["position"], f"line {number}")
            self.assertEqual(answer["id"], row["id"] if isinstance(row, dict) else "")
            if isinstance(row, dict) and "body" in row:
                self.assertNotIn("error", answer)
                countries = {tag["regionCode"]: tag["score"] for tag in answer["countries"]}
                self.assertTrue({"IR", "OM"} <= set(countries), answer)
                self.assertTrue(all(0 <= score <= 1 for score in countries.values()))
                self.assertIsInstance(answer["issues"], list)
                for tag in answer["issues"]:
                    self.assertTrue(tag["issueId"] and 0 <= tag["score"] <= 1)
            else:
                self.assertIn("message", answer["error"])
                self.assertEqual((answer["countries"], answer["issues"]), ([], []))

    def test_classify_answers_a_line_before_it_is_given_the_next(self):
        command = [os.path.join(BIN, "dateline"), "--classifier", self.shared.classifier.address, "classify",
                   "--input-format", "jsonl", "--output", "jsonl"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as process:
            for n in (1, 2, 3):
                process.stdin.write(lines(article(n)))
                process.stdin.flush()
                ready, _, _ = select.select([process.stdout], [], [], 30)
                self.assertTrue(ready, "no answer while the input is open")
                self.assertEqual(json.loads(process.stdout.readline())["id"], f"article-{n}")
            process.stdin.close()
            self.assertEqual(process.wait(30), 0)

    def test_classify_shows_a_page_with_reasons(self):
        path = self.write("page.html", page("Muscat Talks"))
        text = self.dateline("classify", path)
        self.assert_exit(text, 0)
        self.assertIn("Iran (IR)", text.stdout)
        self.assertIn("“Tehran”", text.stdout)
        found = json.loads(self.dateline("classify", path, "--output", "json").stdout)
        self.assertIn("IR", [tag["regionCode"] for tag in found["countries"]])
        self.assertEqual(found["article"]["title"], "Muscat Talks")
        span = next(piece["span"] for tag in found["countries"] for piece in tag["evidence"] if "span" in piece)
        self.assertIn(span["field"], found["article"])

    def test_articles_are_taken_while_the_classifier_is_away_and_tagged_when_it_is_back(self):
        port = self.shared.classifier.port
        self.assertEqual(self.shared.classifier.terminate(), 0)
        path = self.write("page.html", page("Muscat Talks"))
        result = self.dateline("ingest", path)
        self.assert_exit(result, 0)
        found = json.loads(self.dateline("search", "muscat", "--output", "json").stdout)["hits"][0]["article"]
        self.assertEqual(found["labelState"], "LABEL_STATE_PENDING")
        self.assertNotIn("labels", found)
        token = json.loads(self.dateline("get", found["id"], "--output", "json").stdout)["commitToken"]
        self.shared.start_classifier(listen=f"127.0.0.1:{port}")
        self.assert_exit(self.dateline("wait", token, "--for", "labelled", "--wait_timeout", "60s"), 0)
        found = json.loads(self.dateline("search", "muscat", "--output", "json").stdout)["hits"][0]["article"]
        self.assertEqual(found["labelState"], "LABEL_STATE_DONE")
        self.assertIn("IR", [label.get("regionCode") for label in found["labels"]])

    def test_a_service_that_restarts_in_the_middle_loses_nothing(self):
        port = self.services.search.port
        command = [os.path.join(BIN, "dateline"), "--search", f"127.0.0.1:{port}", "ingest", "-", "--input-format", "jsonl",
                   "--output", "jsonl"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              encoding="utf-8") as process:
            process.stdin.write(lines(*[article(n) for n in range(200)]))
            process.stdin.flush()
            json.loads(process.stdout.readline())
            self.services.search.kill()
            process.stdin.write(lines(*[article(n) for n in range(200, 250)]))
            process.stdin.flush()
            self.services.start_search(listen=f"127.0.0.1:{port}", classifier=self.shared.classifier.address)
            # Not communicate(): that would lose what readline() has read ahead.
            process.stdin.close()
            rest, errors = process.stdout.read(), process.stderr.read()
            process.wait(120)
        self.assertEqual(process.returncode, 0, errors)
        self.assertEqual(len(rest.splitlines()) + 1, 250)
        self.assertIn("trying again", errors)
        info = json.loads(self.dateline("info", "--output", "json").stdout)
        self.assertEqual(info["articleCount"], 250)

    def test_ctrl_c_ends_with_a_summary(self):
        command = [os.path.join(BIN, "dateline"), "--search", self.services.search.address, "ingest", "-",
                   "--input-format", "jsonl"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              encoding="utf-8") as process:
            process.stdin.write(lines(article(1)))
            process.stdin.flush()
            self.assertIn("article-1", process.stdout.readline())
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(20), 130)
            self.assertIn("interrupted; 1 article: 1 created", process.stdout.read())

    def test_a_killed_run_goes_on_where_it_was(self):
        count = 3000
        path = self.write("in.jsonl", lines(*[article(n) for n in range(count)]))
        checkpoint = os.path.join(self.dir, "job.checkpoint")
        command = [os.path.join(BIN, "dateline"), "--search", self.services.search.address, "ingest", path,
                   "--checkpoint", checkpoint, "--output", "jsonl"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8") as process:
            said = [process.stdout.readline() for _ in range(1200)]
            process.kill()
            process.wait(20)
        self.assertTrue(all(said))
        stored = json.loads(self.dateline("info", "--output", "json").stdout)["articleCount"]
        self.assertLess(stored, count, "killed in the middle")
        again = self.ingest(path, "--checkpoint", checkpoint, "--wait", "durable")
        # What was answered in the last moment, and what was under way.
        self.assertLess(len(again), count - 1200 + 512)
        self.assertLess(sum(line["outcome"] == "INGEST_OUTCOME_UNCHANGED" for line in again), 1024)
        self.assertEqual(json.loads(self.dateline("info", "--output", "json").stdout)["articleCount"], count)
        result = self.dateline("ingest", path, "--checkpoint", checkpoint)
        self.assert_exit(result, 0)
        self.assertIn("1 file has not changed since all in it was taken", result.stderr)
        self.assertTrue(result.stdout.startswith("0 articles"), result.stdout)

    def test_a_checkpoint_passes_over_what_was_taken_and_nothing_else(self):
        checkpoint = ["--checkpoint", os.path.join(self.dir, "job.checkpoint")]
        folder = os.path.join(self.dir, "in")
        self.write("in/good.jsonl", lines(article(1), article(2)))
        self.write("in/bad.jsonl", lines(article(3), {"id": "bad", "title": "Bad", "url": "nowhere"}, article(4)))
        self.assertEqual(len(self.ingest(folder, *checkpoint, code=3)), 5)
        again = self.ingest(folder, *checkpoint, code=3)
        self.assertEqual(sorted(line["id"] for line in again), ["article-4", "bad"], "from what was rejected on")
        self.write("in/bad.jsonl", lines(article(3), article(4)))
        self.write("in/good.jsonl", lines(article(1), article(2), article(5)))
        self.assertEqual(len(self.ingest(folder, *checkpoint)), 5, "both have changed")
        self.assertEqual(self.ingest(folder, *checkpoint), [])

    def test_lines_that_hold_no_article_are_written_as_they_are_and_read_again(self):
        path = self.write("in.jsonl", lines(article(1), {"id": "article-2", "headline": "Two", "body": 7}) +
                          '{"id": "article-3", "title": "Three" "body": "Text."}\n')
        rejected = os.path.join(self.dir, "rejected.jsonl")
        self.ingest(path, "--rejected", rejected, code=3)
        with open(rejected, encoding="utf-8") as file:
            records = json_lines(file.read())
        self.assertEqual((records[0]["headline"], records[0]["body"]), ("Two", 7))
        self.assertEqual(records[1]["rejected_line"], '{"id": "article-3", "title": "Three" "body": "Text."}')
        # As they are they are refused for the same reasons, and written in the same way.
        again = os.path.join(self.dir, "again.jsonl")
        self.ingest(rejected, "--rejected", again, code=3)
        with open(again, encoding="utf-8") as file:
            for record, before in zip(json_lines(file.read()), records, strict=True):
                self.assertEqual(record["rejection"]["reason"], before["rejection"]["reason"])
                self.assertEqual(record.get("rejected_line"), before.get("rejected_line"))
        records[0]["body"] = "Text."
        records[1]["rejected_line"] = records[1]["rejected_line"].replace('" "', '", "')
        self.assertEqual(self.outcomes(self.ingest(self.write("corrected.jsonl", lines(*records)))), ["CREATED"] * 2)
        stored = json.loads(self.dateline("get", "article-3", "--output", "json").stdout)["article"]
        self.assertEqual((stored["title"], stored["body"]), ("Three", "Text."))

    def test_a_checkpoint_is_of_one_collection_and_of_the_same_flags(self):
        checkpoint = os.path.join(self.dir, "job.checkpoint")
        path = self.write("in.jsonl", lines(*[article(n, note="A note.") for n in range(3)]))

        def ingest(*arguments):
            result = self.dateline("ingest", path, "--checkpoint", checkpoint, "--output", "jsonl", *arguments)
            self.assert_exit(result, 0)
            return sorted(self.outcomes(json_lines(result.stdout))), result.stderr

        backup = os.path.join(self.dir, "backup")
        port = self.services.search.port

        def with_service_stopped(change):
            self.services.search.terminate()
            change()
            self.services.start_search(listen=f"127.0.0.1:{port}", classifier=self.shared.classifier.address)

        def restore():
            shutil.rmtree(self.services.data_dir)
            shutil.copytree(backup, self.services.data_dir)

        with_service_stopped(lambda: shutil.copytree(self.services.data_dir, backup))
        self.assertEqual(ingest()[0], ["CREATED"] * 3)
        self.assertEqual(ingest()[0], [])
        # What is in the files is read in another way.
        outcomes, said = ingest("--map", "summary=note")
        self.assertEqual(outcomes, ["UPDATED"] * 3)
        self.assertIn("was kept with another --map, so that all files are taken again", said)
        self.assertEqual(ingest("--map", "summary=note")[0], [])
        self.assertEqual(ingest()[0], ["UPDATED"] * 3)
        # A copy of before.
        with_service_stopped(restore)
        outcomes, said = ingest()
        self.assertEqual(outcomes, ["CREATED"] * 3)
        self.assertIn("is of another collection than the service has, or of a later state of it", said)
        self.assertEqual(ingest()[0], [])
        # Another service, before which a dry run says what it can't know.
        with Services(BIN, with_classifier=False, with_search=False, with_gateway=False) as other:
            other.start_search(classifier=self.shared.classifier.address)
            first, self.services = self.services, other
            self.assertIn("a dry run asks no service", ingest("--dry_run")[1])
            self.assertEqual(ingest()[0], ["CREATED"] * 3)
            self.assertEqual(ingest()[0], [])
            self.services = first
        # One that says nothing of it.
        with open(checkpoint, encoding="utf-8") as file:
            known = [line for line in file if line.startswith("taken ")]
        self.write("job.checkpoint", "dateline checkpoint 1\n" + "".join(known))
        outcomes, said = ingest()
        self.assertEqual(outcomes, ["UNCHANGED"] * 3)
        self.assertIn("does not say of which collection it is", said)

    def test_what_was_rejected_is_corrected_and_ingested(self):
        path = self.write("in.jsonl", lines(article(1), article(2, url="nowhere", authors=["Jane Roe"]), "{", article(3)))
        rejected = os.path.join(self.dir, "rejected.jsonl")
        report = os.path.join(self.dir, "report.json")
        self.ingest(path, "--rejected", rejected, "--report", report, code=3)
        with open(rejected, encoding="utf-8") as file:
            records = sorted(json_lines(file.read()), key=lambda record: record["rejection"]["position"])
        with open(report, encoding="utf-8") as file:
            listed = sorted(json.load(file)["rejected"], key=lambda entry: entry["position"])
        for record, entry in zip(records, listed, strict=True):
            self.assertEqual(record["rejection"], {name: entry[name] for name in ("source", "position", "reason", "message")})
        self.assertEqual([record.get("id") for record in records], ["article-2", None])
        records[0]["url"] = "https://x.example/2"
        corrected = self.write("corrected.jsonl", lines(records[0]))
        self.assertEqual([line["outcome"] for line in self.ingest(corrected, "--rejected", rejected)], ["INGEST_OUTCOME_CREATED"])
        self.assertEqual(os.path.getsize(rejected), 0, "of the last run")
        stored = json.loads(self.dateline("get", "article-2", "--output", "json").stdout)["article"]
        self.assertEqual((stored["url"], stored["authors"], stored["body"]),
                         ("https://x.example/2", ["Jane Roe"], article(2)["body"]))

    def test_get_delete_and_purge(self):
        path = self.write("in.jsonl", lines(article(1), article(2)))
        self.ingest(path)
        self.assertIn("telephone line", self.dateline("get", "article-1").stdout)
        refused = self.dateline("delete", "article-1", stdin="")
        self.assert_exit(refused, 1)
        self.assertIn("--yes", refused.stderr)
        self.assert_exit(self.dateline("delete", "article-1", "--yes"), 0)
        gone = self.dateline("get", "article-1")
        self.assert_exit(gone, 1)
        purged = self.dateline("delete", "article-2", "--purge", "--yes")
        self.assert_exit(purged, 0)
        self.assertEqual(purged.stdout, "purged article-2\n")
        slip = self.dateline("delete", "article-22", "--purge", "--yes")
        self.assert_exit(slip, 0)
        self.assertIn("no such article was to be seen", slip.stdout)
        answers = {answer["id"]: answer for answer in self.ingest(path, code=3)}
        self.assertEqual(answers["article-1"]["outcome"], "INGEST_OUTCOME_CREATED")
        self.assertEqual(answers["article-2"]["outcome"], "INGEST_OUTCOME_REJECTED")
        self.assertEqual(answers["article-2"]["error"]["reason"], "PURGED")

    def test_list_and_changes_tell_all_that_is_there_and_what_became_of_it(self):
        self.ingest(self.write("in.jsonl", lines(*[article(n) for n in range(3)])))
        listed = self.dateline("list")
        self.assert_exit(listed, 0)
        self.assertEqual(sorted(line.split("\t")[0] for line in listed.stdout.splitlines()),
                         ["article-0", "article-1", "article-2"])
        self.assertEqual(listed.stderr, "dateline: 3 articles\n")
        one = json_lines(self.dateline("list", "--filter", "id = article-1", "--output", "jsonl", "-q").stdout)
        self.assertEqual([found["id"] for found in one], ["article-1"])
        self.assertTrue(one[0]["etag"] and one[0]["contentHash"])

        all_of_it = json_lines(self.dateline("changes", "--output", "jsonl").stdout)
        self.assertEqual({line["change"]["kind"] for line in all_of_it[:-1]}, {"CHANGE_KIND_CREATED"})
        self.assertEqual(len(all_of_it), 4)
        token = all_of_it[-1]["nextToken"]
        self.assert_exit(self.dateline("delete", "article-1", "--yes"), 0)
        since = self.dateline("changes", "--since", token)
        self.assert_exit(since, 0)
        self.assertRegex(since.stdout, r"^20\d\d-\S+ \S+ UTC  deleted     article-1\b.*\nnext token \S+\n$")
        token = since.stdout.split()[-1]
        self.assertEqual(self.dateline("changes", "--since", token).stdout, f"next token {token}\n")
        for arguments, flag in ((["list", "--filter", "x ="], "--filter"), (["list", "--country", "ZZ"], "--country"),
                                (["changes", "--since", "foreign"], "--since"),
                                (["changes", "--issue", "no such issue"], "--issue")):
            result = self.dateline(*arguments)
            self.assert_exit(result, 2)
            self.assertTrue(result.stderr.startswith(f"dateline: {flag}: "), result.stderr)

        follow = subprocess.Popen(
            [os.path.join(BIN, "dateline"), "--search", self.services.search.address, "changes", "--since", token,
             "--follow", "--interval", "50ms", "--output", "jsonl"], stdout=subprocess.PIPE, encoding="utf-8")
        with follow:
            self.assertEqual(json.loads(follow.stdout.readline()), {"nextToken": token})
            self.ingest(self.write("more.jsonl", lines(article(7))))
            self.assertEqual(json.loads(follow.stdout.readline())["change"]["article"]["id"], "article-7")
            follow.send_signal(signal.SIGINT)
            self.assertEqual(follow.wait(20), 130)

    def test_what_an_editor_decides_counts_is_kept_and_trains(self):
        self.ingest(self.write("in.jsonl", lines(*[article(n) for n in range(3)])), "--wait", "labelled")
        result = self.dateline("labels", "set", "article-0", "--country", "Iran,RU", "--primary", "Oman", "--issue", "energy")
        self.assert_exit(result, 0)
        self.assertRegex(result.stdout, r"country +Oman \(OM\) +editor +primary\n")
        self.assertRegex(result.stdout, r"country +Iran \(IR\) +editor\n")
        self.assertRegex(result.stdout, r"issue +\S.* \(energy\) +editor\n")
        removed = self.dateline("labels", "remove", "article-0", "--country", "Russia", "--issue", "trade")
        self.assertNotIn("(RU)", removed.stdout)
        self.assertIn("(IR)", removed.stdout)
        edited = json.loads(self.dateline("get", "article-0", "--label_source", "editor", "--output", "json").stdout)
        self.assertEqual({label.get("regionCode") or label["issueId"]: label["state"]
                          for label in edited["article"]["labels"]},
                         {"OM": "STATE_APPLIED", "IR": "STATE_APPLIED", "energy": "STATE_APPLIED", "RU": "STATE_REJECTED",
                          "trade": "STATE_REJECTED"})
        # Sending it again changes nothing of that.
        self.ingest(self.write("again.jsonl", lines({**article(0), "body": "Something else altogether happened in Paris."})),
                    "--wait", "labelled")
        kept = json.loads(self.dateline("get", "article-0", "--label_source", "editor", "--output", "json").stdout)
        self.assertEqual(kept["article"]["labels"], edited["article"]["labels"])

        exact = self.dateline("labels", "set", "article-1", "article-9", "--issue", "society", "--replace", "issue")
        self.assert_exit(exact, 3)
        self.assertIn("the editor's alone: issues\n", exact.stdout)
        self.assertRegex(exact.stderr, r"^dateline: article-9: .*no article has the id")
        confirmed = self.dateline("labels", "confirm", "article-2")
        self.assert_exit(confirmed, 0)
        self.assertIn("the editor's alone: countries, groups, issues\n", confirmed.stdout)
        self.assertNotIn("classifier", confirmed.stdout)
        restored = self.dateline("labels", "clear", "article-1", "--issue", "society", "--restore", "issue")
        self.assertNotIn("alone", restored.stdout)
        self.assert_exit(self.dateline("labels", "set", "article-1", "--issue", "society", "--replace", "issue"), 0)
        unknown = self.dateline("labels", "set", "article-0", "--issue", "no such issue")
        self.assert_exit(unknown, 2)
        self.assertTrue(unknown.stderr.startswith("dateline: --issue: "), unknown.stderr)

        self.assertEqual(sorted(self.dateline("list", "--label_source", "editor", "-q").stdout.split()),
                         ["article-0", "article-1", "article-2"])
        exported = self.dateline("labels", "export", "issues")
        self.assert_exit(exported, 0)
        examples = {example["id"]: example for example in json_lines(exported.stdout)}
        self.assertEqual(examples["article-0"]["applied"], ["energy"])
        self.assertEqual(examples["article-0"]["rejected"], ["trade"])
        self.assertEqual(examples["article-0"]["body"], "Something else altogether happened in Paris.")
        self.assertEqual(examples["article-1"]["issues"], ["society"])
        self.assertIn("issues", examples["article-2"])
        countries = {example["id"]: example for example in json_lines(self.dateline("labels", "export", "countries").stdout)}
        self.assertEqual(countries["article-0"]["countries_complete"], False)
        self.assertNotIn("countries_complete", countries["article-2"])
        complete = json_lines(self.dateline("labels", "export", "countries", "--assume_complete", "-q").stdout)
        self.assertEqual(sorted(complete[0]["countries"]), ["FR", "IR", "OM"])  # Paris is the classifier's.
        self.assertNotIn("countries_complete", complete[0])

        # There and back: enough of both kinds for a trainer to learn from.
        kinds = {"energy": ("NO", "Crude left Norway's refinery {}, and Norwegian barrels were dear, said Oslo. France looked on."),
                 "health": ("GH", "Nurses of Ghana's ward {} vaccinated Ghanaian children, said Accra. Japan sent a doctor.")}
        for issue, (country, body) in kinds.items():
            ids = [f"{issue}-{n}" for n in range(10)]
            self.ingest(self.write(f"{issue}.jsonl", lines(*[{**article(n), "id": id, "title": issue, "body": body.format(n)}
                                                            for n, id in enumerate(ids)])), "--wait", "labelled")
            self.assert_exit(self.dateline("labels", "set", *ids, "--issue", issue, "--country", country, "--replace", "issue",
                                           "--replace", "country"), 0)
        exported = self.dateline("labels", "export", "issues")
        model = os.path.join(self.dir, "issues.model")
        shutil.copy(os.path.join(ROOT, "classifier_service/data/model/issues.model"), model)
        with open(model, "rb") as file:
            before = file.read()
        trained = run_program(
            "classifier_train", "issues", "--add", self.write("corrections.jsonl", exported.stdout), "--taxonomy",
            os.path.join(ROOT, "classifier_service/data/taxonomy/default.textproto"), "--output", model, "--force",
            timeout=120)
        self.assert_exit(trained, 0)
        with open(model, "rb") as file:
            self.assertNotEqual(file.read(), before)
        trained = run_program(
            "classifier_train", "countries", "--articles",
            self.write("countries.jsonl", self.dateline("labels", "export", "countries").stdout), "--gazetteer",
            os.path.join(ROOT, "classifier_service/data/gazetteer/gazetteer.tsv"), "--output",
            os.path.join(self.dir, "countries.model"), "--folds", "2", timeout=120)
        self.assert_exit(trained, 0)
        self.assertIn("held out, by folds", trained.stdout)

    def test_requests_that_the_service_refuses_name_the_flag(self):
        for arguments in (["--filter", "nonsense ="], ["--page_size", "-1"], ["--country", "ZZ"],
                          ["--issue", "no_such_issue"], ["--order", "sideways"], ["--page_token", "foreign"],
                          ["--skip", "-1"], ["--snippet_bytes", "-1"], ["--facets", "colour"],
                          ["--min_label_score", "7"], ["--min_commit_token", "foreign"], ["--select", "colour=red"]):
            result = self.dateline("search", "x", *arguments)
            self.assert_exit(result, 2)
            self.assertTrue(result.stderr.startswith(f"dateline: {arguments[0]}: "), result.stderr)
        for arguments in (["--alternates", "11", "--collapse", "source"], ["--freshness_weight", "2", "--freshness", "7"],
                          ["--label_weight", "-1"]):
            result = self.dateline("search", "x", *arguments)
            self.assert_exit(result, 2)
            self.assertTrue(result.stderr.startswith(f"dateline: {arguments[0]}: "), result.stderr)
        facets = self.dateline("search", "x", "--facets", "country,contry")
        self.assert_exit(facets, 2)
        self.assertIn("did you mean country?\n  There are: country, group, issue,", facets.stderr)
        for arguments, name in ((["get", ""], "ID"), (["wait", "foreign"], "TOKEN"), (["suggest", "x" * 2000], "TEXT"),
                                (["search", "x" * 2000], "QUERY")):
            result = self.dateline(*arguments)
            self.assert_exit(result, 2)
            self.assertTrue(result.stderr.startswith(f"dateline: {name}: "), result.stderr)

    def test_pages_follow_each_other_without_overlap(self):
        self.ingest(self.write("in.jsonl", lines(*[article(n) for n in range(25)])))
        seen = []
        token = []
        for _ in range(3):
            answer = json.loads(self.dateline("search", "muscat", "--output", "json", "--page_size", "10", *token).stdout)
            seen += [hit["article"]["id"] for hit in answer["hits"]]
            token = ["--page_token", answer.get("nextPageToken", "")]
        self.assertEqual(len(set(seen)), 25)

    def test_evaluate_compares_tags_with_labels(self):
        oil = ("Oil ministers of the producers' group agreed on Thursday to cut output by a million barrels per day, sending "
               "crude prices higher. Refiners in Asia said that they would look for supplies elsewhere.")
        path = self.write("labelled.jsonl", lines(
            article(1, countries=["Iran", "OM"], issues=["Foreign policy"]),
            {"id": "oil", "title": "OPEC agrees to cut oil production", "body": oil, "issues": ["Petrol desk"]},
            {"id": "wrong", "title": "OPEC agrees to cut oil production", "body": oil + " More will follow.",
             "issues": ["culture"]},
            {"id": "none", "title": "No labels at all", "body": BODY},
            "{broken"))
        names = self.write("names.txt", "# Ours.\nPetrol desk = issue:energy\n")
        result = self.dateline("evaluate", path, "--label_map", names, "--output", "json")
        self.assert_exit(result, 3)
        self.assertIn("line 5", result.stderr)
        report = json.loads(result.stdout)
        self.assertEqual((report["articles"], report["failed"], report["labelled"]), (5, 1, 3))
        self.assertTrue(report["trainingKnown"])
        self.assertEqual(report["inTraining"], 0)
        issues = next(part for part in report["dimensions"] if part["name"] == "issues")
        self.assertEqual(issues["articles"], 3)
        self.assertTrue(issues["allScores"])
        values = {value["id"]: value for value in issues["values"]}
        self.assertEqual(values["energy"]["agreement"]["right"], 1)
        self.assertEqual(values["culture"]["agreement"]["labelled"], 1)
        self.assertEqual(report["disagreements"][0]["id"], "wrong")
        of_wrong = {one["value"]: one for one in report["disagreements"] if one["id"] == "wrong"}
        self.assertTrue(of_wrong["culture"]["labelled"])
        self.assertTrue(of_wrong["culture"]["taggedInstead"])
        self.assertFalse(of_wrong["energy"]["labelled"])
        self.assertTrue(of_wrong["energy"]["evidence"])
        text = self.dateline("evaluate", path)
        self.assertIn("Labels of unknown meaning  1; --label_map FILE says what they mean", text.stdout)
        self.assertIn("“Petrol desk” (issue, 1)", text.stdout)
        self.assertIn("Countries  1 articles", text.stdout)
        nothing = self.dateline("evaluate", self.write("plain.jsonl", lines(article(1))))
        self.assert_exit(nothing, 1)
        self.assertIn("none of 1 articles can be compared: no article has labels", nothing.stderr)
        wrong = self.dateline("evaluate", path, "--label_map", self.write("bad.txt", "Petrol desk = petrol\n"))
        self.assert_exit(wrong, 2)
        self.assertIn("line 1: “petrol” is no country, group or issue", wrong.stderr)

    def test_a_new_issue_is_tagged_by_its_seed_phrases_at_once(self):
        with open(os.path.join(ROOT, "classifier_service/data/taxonomy/default.textproto"), encoding="utf-8") as file:
            text = file.read()
        seeds = ("coast guards", "shipping lane", "telephone line", "patrols", "strait", "foreign ministers met", "muscat talks",
                 "fewer patrols", "second meeting", "through the summer")
        taxonomy = self.write("mine.textproto", text + 'issue { id: "straits" names { language: "en" display_name: "Straits" } '
                              'definition: "Shipping through straits." ' + " ".join(f'seed_phrase: "{s}"' for s in seeds) + "}")
        with Services(BIN, with_search=False, with_gateway=False, classifier_args=["--taxonomy", taxonomy]) as services:
            found = run("classify", "--classifier", services.classifier.address, "--input_format", "jsonl", "--output", "jsonl",
                        stdin=lines(article(1)))
            self.assert_exit(found, 0)
            tags = {tag["issueId"]: tag for tag in json_lines(found.stdout)[0]["issues"]}
            self.assertEqual(tags["straits"]["provenance"], "TAG_PROVENANCE_SEED")
            self.assertEqual(tags["geopolitics"]["provenance"], "TAG_PROVENANCE_MODEL")
            model = run("model", "--classifier", services.classifier.address)
            self.assertRegex(model.stdout, r"(?m)^straits .*by seed phrases; 30 labelled articles")

    def test_classify_explains_what_was_nearly_a_tag(self):
        result = self.dateline("classify", "--input_format", "jsonl", "--output", "jsonl", "--explain",
                               stdin=lines(article(1)))
        self.assert_exit(result, 0)
        line = json_lines(result.stdout)[0]
        issues = [score for score in line["scores"] if "issueId" in score]
        self.assertEqual(len(issues), 20)
        self.assertTrue(all({"score", "threshold", "raw", "tagged"} <= set(score) for score in issues))
        self.assertFalse(line["inTraining"])
        countries = [score for score in line["scores"] if "regionCode" in score]
        self.assertTrue(countries and all({"score", "threshold", "tagged"} <= set(score) for score in countries))
        self.assertLessEqual({"score", "threshold"}, set(line["noCountry"]))
        shown = self.dateline("classify", "--input_format", "jsonl", "--explain", stdin=lines(article(1)))
        self.assertRegex(shown.stdout, r"(?m)^  geopolitics +0\.\d{4}  threshold 0\.\d\d  raw [+-]\d")
        self.assertRegex(shown.stdout, r"(?m)^  [A-Z]{2} +0\.\d{4}  threshold [01]\.\d\d")
        self.assertRegex(shown.stdout, r"(?m)^  no country +[01]\.\d{4}  threshold [01]\.\d\d")

    def test_a_new_taxonomy_is_compared_with_what_is_stored(self):
        self.ingest(self.write("in.jsonl", lines(*[article(n, issues=["Trade"]) for n in range(3)])))
        default = os.path.join(ROOT, "classifier_service/data/taxonomy/default.textproto")
        with open(default, encoding="utf-8") as file:
            text = file.read()
        changed = self.write("new.textproto", text.replace('  id: "trade"\n', '  id: "trade"\n  replaced_by: "economy"\n'))
        deadline = time.monotonic() + 30
        while True:  # What is labelled shows a little later.
            result = self.dateline("taxonomy", "diff", default, changed)
            self.assert_exit(result, 0)
            if "(3 articles)" in result.stdout or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        self.assertRegex(result.stdout, r"- trade +retired: economy stands for it  \(3 articles\)\n")

    def test_the_servers_describe_themselves(self):
        for arguments, expected in ((["info"], "articles"), (["taxonomy"], "geopolitics"),
                                    (["taxonomy", "--show", "groups"], "gcc"), (["taxonomy", "--show", "countries"], "Iran"),
                                    (["model"], "taxonomy"), (["health"], "SERVING"), (["suggest", "ira"], "[Ira]n")):
            result = self.dateline(*arguments)
            self.assert_exit(result, 0)
            self.assertIn(expected, result.stdout)
        self.assertIn("issues", json.loads(self.dateline("taxonomy", "--output", "json").stdout))
        self.assert_exit(self.dateline("health", "--address", self.services.search.address), 0)
        unknown = self.dateline("health", "--address", self.services.search.address, "--service", "no.such.Service")
        self.assert_exit(unknown, 1)


def in_terminal(command, timeout=120):
    """Runs a command on a pseudo-terminal; what it printed, and its exit status."""
    master, slave = pty.openpty()
    try:
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave) as process:
            os.close(slave)
            slave = -1
            output = b""
            deadline = time.monotonic() + timeout
            while time.monotonic() < deadline:
                ready, _, _ = select.select([master], [], [], 1)
                if not ready:
                    continue
                try:
                    chunk = os.read(master, 65536)
                except OSError:  # The other end is closed.
                    break
                if not chunk:
                    break
                output += chunk
            return output.decode(errors="replace"), process.wait(timeout)
    finally:
        os.close(master)
        if slave >= 0:
            os.close(slave)


class RunScript(CommandLineTest):
    """./run.sh, from a built tree to a clean end."""

    def script(self, *arguments, timeout=600):
        return subprocess.run([os.path.join(ROOT, "run.sh"), "--no-install", "--data_dir", os.path.join(self.dir, "data"),
                               *arguments], capture_output=True, encoding="utf-8", timeout=timeout, cwd=self.dir,
                              stdin=subprocess.DEVNULL, check=False)

    def test_once_shows_tags_and_hits_and_stops_everything(self):
        result = self.script("--once", "--classifier_port", "0", "--search_port", "0", "--gateway_port", "0")
        self.assert_exit(result, 0)
        self.assertIn("44 articles: 44 created", result.stdout)
        self.assertIn("Countries", result.stdout)
        self.assertIn("Issues", result.stdout)
        self.assertRegex(result.stdout, r"\d+ articles in [\d.]+ ms")
        self.assertRegex(result.stdout, r"page +http://127\.0\.0\.1:\d+/")
        for line in result.stdout.splitlines():
            if line.startswith("started"):
                for port in [word.rstrip(",;").rpartition(":")[2] for word in line.split() if "127.0.0.1:" in word]:
                    with socket.socket() as probe:
                        self.assertNotEqual(probe.connect_ex(("127.0.0.1", int(port))), 0, f"port {port} is still open")
        again = self.script("--once", "--classifier_port", "0", "--search_port", "0", "--gateway_port", "0")
        self.assert_exit(again, 0)
        self.assertIn("44 unchanged", again.stdout)

    def test_own_material_instead_of_the_samples(self):
        self.write("mine/page.html", page("Muscat Talks"))
        result = self.script("--once", "--classifier_port=0", "--search_port=0", "--gateway_port=0", "mine")
        self.assert_exit(result, 0)
        self.assertIn("1 article: 1 created", result.stdout)
        self.assertIn("Muscat Talks", result.stdout)

    def test_a_port_in_use_is_one_line(self):
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            port = holder.getsockname()[1]
            result = self.script("--once", "--classifier_port", "0", "--search_port", str(port), "--gateway_port", "0")
        self.assert_exit(result, 1)
        self.assertEqual(result.stderr, f"run.sh: port {port} is in use; --search_port N takes another one for the search\n")

    def test_ctrl_c_stops_everything_cleanly(self):
        command = [os.path.join(ROOT, "run.sh"), "--no-install", "--data_dir", os.path.join(self.dir, "data"),
                   "--classifier_port", "0", "--search_port", "0", "--gateway_port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
                              stdin=subprocess.DEVNULL, start_new_session=True) as process:
            output = ""
            for line in process.stdout:
                output += line
                if line.startswith("running"):
                    break
            os.killpg(process.pid, signal.SIGINT)  # As a terminal does.
            output += process.stdout.read()
            self.assertEqual(process.wait(60), 0, output)
        logs = os.path.join(self.dir, "data", "logs")
        for name in ("classifier_service", "search_service", "web_gateway"):
            with open(os.path.join(logs, f"{name}.log"), encoding="utf-8") as file:
                self.assertIn("stopped", file.read(), name)

    def test_a_wrong_command_line_is_exit_2(self):
        for arguments in (["--frobnicate"], ["--search_port", "x"], ["--search_port", "70000"], ["--data_dir"],
                          ["--search_port", "4000", "--gateway_port", "4000"]):
            result = self.script("--once", *arguments)
            self.assert_exit(result, 2)
            self.assertEqual(len(result.stderr.splitlines()), 1)


def main():
    global BIN
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True, help="folder of the built programs")
    options, rest = parser.parse_known_args()
    BIN = os.path.abspath(options.bin)
    # run.sh builds in build/release: from another build's tests it would compile all of it.
    if "RunScript" in rest and os.path.realpath(BIN) != os.path.join(os.path.realpath(ROOT), "build", "release", "bin"):
        print("SKIPPED: run.sh is tested with the release build, whose programs it starts")
        sys.exit(SKIPPED)
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2, warnings="ignore")


if __name__ == "__main__":
    main()

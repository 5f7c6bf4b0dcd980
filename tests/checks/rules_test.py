#!/usr/bin/python3
"""The tree keeps its rules, and the rules catch what they are for."""

import os
import re
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))
sys.path.insert(0, HERE)
import include_rules  # noqa: E402
import tree_rules  # noqa: E402


class RulesTest(unittest.TestCase):
    maxDiff = None

    def planted(self, rules, contents):
        """What `rules` find in a tree with these files, as (file, line)."""
        with tempfile.TemporaryDirectory() as root:
            for path, text in contents.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            return sorted({(path, line) for path, line, _ in rules.violations(root)})

    def test_every_include_of_this_tree_is_allowed(self):
        self.assertEqual([], list(include_rules.violations(ROOT)))

    def test_this_tree_keeps_the_rules_for_files(self):
        self.assertEqual([], list(tree_rules.violations(ROOT)))

    def test_forbidden_includes_are_caught(self):
        for path, include in [
                ("search_service/engine.cc", "<grpcpp/grpcpp.h>"),
                ("search_service/engine.cc", '"dateline/search/v1/search_service.pb.h"'),
                ("search_service/engine.h", '"common/rpc/unary.h"'),
                ("search_service/engine.cc", "<xapian.h>"),
                ("search_service/search_index.h", "<xapian.h>"),
                ("search_service/search_handler.cc", '"classifier_service/classifier.h"'),
                ("search_service/ingest_handler.cc", '"extraction/extraction.h"'),
                ("classifier_service/classifier.cc", '"search_service/engine.h"'),
                ("classifier_service/classifier_proto.cc", '"grpcpp/server_context.h"'),
                ("classifier_service/classifier.cc", '"CLI/CLI.hpp"'),
                ("classifier_service/classifier.cc", '"tests/support/temp_dir.h"'),
                ("classifier_service/classifier.cc", '"classifier.h"'),
                ("common/text.cc", '"extraction/extraction.h"'),
                ("common/text.cc", '"common/rpc/status.h"'),
                ("common/text.cc", '"CLI/CLI.hpp"'),
                ("common/rpc/unary.cc", '"dateline/article/v1/article.pb.h"'),
                ("common/rpc/unary.cc", '"search_service/engine.h"'),
                ("extraction/html.cc", '"dateline/article/v1/article.pb.h"'),
                ("extraction/html.cc", '"classifier_service/classifier.h"'),
                ("web_gateway/gateway.cc", '"dateline/search/v1/search_service.pb.h"'),
                ("cli/main.cc", '"search_service/engine.h"')]:
            with self.subTest(path=path, include=include):
                self.assertEqual([(path, 2)], self.planted(include_rules, {path: f"// A comment.\n#include {include}\n"}))

    def test_forbidden_words_are_caught_in_code_only(self):
        text = '// getenv("X") in a comment\nconst char* text = "getenv(";\nauto x = std::getenv("HOME");\nstd::mutex m;\n'
        self.assertEqual([("common/text.cc", 3), ("common/text.cc", 4)],
                         self.planted(include_rules, {"common/text.cc": text}))

    def test_allowed_includes_pass(self):
        self.assertEqual([], self.planted(include_rules, {
            "search_service/main.cc": '#include "CLI/CLI.hpp"\n#include "common/rpc/server.h"\n#include "grpcpp/grpcpp.h"\n',
            "search_service/search_handler.cc": '#include "dateline/search/v1/search_service.grpc.pb.h"\n',
            "search_service/search_proto.cc": '#include "dateline/search/v1/search_service.pb.h"\n',
            "search_service/search_index.cc": '#include <xapian.h>\n#include "search_service/storage.pb.h"\n',
            "search_service/handlers_test.cc": '#include "grpcpp/grpcpp.h"\n#include "tests/support/temp_dir.h"\n',
            "common/rpc/item_error.h": '#include "dateline/article/v1/article.pb.h"\n',
            "common/text_test.cc": '#include "tests/support/status_matchers.h"\n'}))

    def test_bad_files_are_caught(self):
        for path, text in [
                ("package-lock.json", '{"packages": {"x": {"resolved": "https://host.example/x.tgz"}}}'),
                ("docs/a.md", "see /" + "work/main/x"),
                ("docs/a.md", "from https://registry.npmjs" + ".org/x"),
                ("common/a.cc", "// TO" + "DO: later"),
                ("proto/dateline/x/v1/x.proto", 'import "google/rpc/status.proto";')]:
            with self.subTest(path=path):
                self.assertEqual(1, len(self.planted(tree_rules, {path: text})))

    def test_good_files_pass(self):
        self.assertEqual([], self.planted(tree_rules, {
            "package-lock.json": '{"packages": {"x": {"version": "1", "funding": {"url": "https://host.example/"}}}}',
            "docs/a.md": "https://example.com/work/x and build/release/bin",
            "proto/dateline/x/v1/x.proto": 'import "google/protobuf/any.proto";\nimport "dateline/article/v1/article.proto";'}))

    def test_one_version_stands_everywhere(self):
        def found(path, pattern):
            with open(os.path.join(ROOT, path), encoding="utf-8") as file:
                return re.search(pattern, file.read(), re.MULTILINE).group(1)
        version = found("CMakeLists.txt", r"^project\(Dateline VERSION ([0-9.]+) ")
        self.assertEqual(version, found("common/version.h", r'kVersion\[\] = "([0-9.]+)"'))
        self.assertEqual(version, found("CHANGELOG.md", r"^## ([0-9.]+)"))


if __name__ == "__main__":
    unittest.main(verbosity=2)

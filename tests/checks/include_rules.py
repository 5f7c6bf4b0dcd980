#!/usr/bin/python3
"""Who may include what: the layers of DESIGN, which the linker can't enforce because all headers lie in /usr/include.

    main.cc -> *_handler -> *_proto -> core -> common

Prints one line for each violation, and exits with 1 if there is any. `--root` names another tree.
"""

import argparse
import os
import re
import sys

MODULES = ("bench", "classifier_service", "cli", "common", "extraction", "search_service", "tests", "web_gateway")
SERVICES = "(classifier_service|search_service|web_gateway|cli)"

# What stands for the wire: gRPC, the messages of the contracts, google.rpc details, and what is built on them.
GRPC = r"grpc(pp)?/"
MESSAGES = r"(dateline/|google/rpc/)"
RPC = rf"({GRPC}|{MESSAGES}|common/rpc/)"

# Files that touch the wire, by the role in their name. ingest_stream is the handler of the one streaming method;
# document_extractor is what handlers ask for an article in the place of a raw document.
TEST = r"(.*_test|.*_testing|testing_.*|.*_test_util)\.(h|cc)"
MAIN = r"(.*_)?main\.cc"
HANDLER = r"(.*_handlers?|ingest_stream)(_test)?\.(h|cc)"
MAPPING = r"(.*_proto|document_extractor)(_test)?\.(h|cc)"
CLIENT = r".*_client(_test)?\.(h|cc)"
WIRE = rf"({MAIN}|{HANDLER}|{MAPPING}|{CLIENT})"
SERVICE_CORE = rf"(classifier_service|search_service)/(?!{WIRE}$|{TEST}$).*"

# Each rule: files (by path from the root), what they must not include, and why. Paths are matched as a whole,
# includes at their beginning.
RULES = [
    (r"common/(?!rpc/).*", rf"(?!common/(?!rpc/)|tests/support/).*/|{RPC}", "common knows nobody, and no RPC", "ours"),
    (r"common/(?!rpc/).*", RPC, "common knows no RPC", "all"),
    (r"common/rpc/(?!item_error).*", r"(?!common/|tests/support/|google/|grpc(pp)?/).*/", "common knows nobody", "ours"),
    (r"common/rpc/(?!item_error).*", r"dateline/", "common/rpc knows no message of the contracts", "all"),
    (r"extraction/.*", r"(?!common/(?!rpc/)|extraction/|tests/support/|dateline/).*/", "extraction knows only common", "ours"),
    (r"extraction/(?!.*_proto(_test)?\.).*", RPC, "extraction knows no RPC and no message of the contracts", "all"),
    (r"classifier_service/.*", r"(search_service|web_gateway|cli)/", "services meet only in proto/", "all"),
    (r"search_service/.*", r"(classifier_service|web_gateway|cli|extraction)/", "services meet only in proto/", "all"),
    (r"web_gateway/.*", r"(classifier_service|search_service|cli|extraction)/", "services meet only in proto/", "all"),
    (rf"web_gateway/(?!{TEST}$).*", r"dateline/", "the gateway knows no method by name", "all"),
    (r"cli/(?!(taxonomy_command|article_check)\.cc$).*", r"(classifier_service|search_service|web_gateway)/",
     "the command is a client like any other", "all"),
    (r"cli/taxonomy_command\.cc", r"(classifier_service/(?!taxonomy(_diff)?\.h$)|(search_service|web_gateway)/)",
     "of the services the command knows the files that editors write, and nothing else", "all"),
    (r"cli/article_check\.cc", r"(search_service/(?!article\.h$)|(classifier_service|web_gateway)/)",
     "of the search service the command knows which articles are taken, and nothing else", "all"),
    (SERVICE_CORE, RPC, "the core knows no RPC type and no message of the contracts", "all"),
    (rf"(classifier_service|search_service)/{MAPPING}", rf"({GRPC}|.*_handler\.h)", "a mapping knows no gRPC and no handler",
     "all"),
    (rf"(?!tests/|bench/)(?!(.*/)?{TEST}$).*", r"tests/", "only tests include what is in tests/", "ours"),
    (r"(?!search_service/(search_index|text_analysis|index_[a-z_]+)\.cc$).*", r"xapian(\.h|/)",
     "Xapian is known to few files of the index", "all"),
    (rf"(?!cli/|bench/|tests/.*_tool\.cc$|common/program(_test)?\.cc$)(?!(.*/)?{MAIN}$).*", r"CLI/",
     "flags are declared in *main.cc, cli/ and what measures, and read by common/program.cc", "all"),
]

# Words that must not stand in code: files, what is looked for, and why. Comments and strings are not looked at.
WORDS = [
    (rf"(?!cli/|tests/|common/program\.cc$)(?!(.*/)?({MAIN}|{TEST})$).*", r"\b(secure_)?getenv\s*\(", "libraries read no environment"),
    (rf"(?!common/mutex\.h$)(?!(.*/)?{TEST}$).*",
     r"\b(std::(recursive_|shared_|timed_)?mutex|absl::Mutex|std::condition_variable|std::lock_guard)\b",
     "use common::Mutex, which both clang and ThreadSanitizer see through"),
    (rf"(?!cli/|bench/|tests/)(?!(.*/)?({MAIN}|{TEST})$).*", r"\bstd::(cout|cerr|clog)\b", "libraries log with common/log.h"),
]

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.MULTILINE)
COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|R"\((?:.*?)\)"|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def sources(root):
    for module in MODULES:
        for folder, folders, files in os.walk(os.path.join(root, module)):
            folders[:] = sorted(f for f in folders if f not in ("build", "node_modules", "__pycache__"))
            for name in sorted(files):
                if name.endswith((".h", ".cc")):
                    yield os.path.relpath(os.path.join(folder, name), root)


def violations(root):
    """Yields (file, line, problem)."""
    for path in sources(root):
        if path.startswith("tests/install/example/"):
            continue  # A program of somebody else's: it has no layers.
        with open(os.path.join(root, path), encoding="utf-8") as file:
            text = file.read()
        for match in INCLUDE.finditer(text):
            included = match.group(1)
            line = text.count("\n", 0, match.start(1)) + 1
            quoted = '"' in match.group(0)
            ours = included.split("/")[0] in MODULES
            if quoted and "/" not in included:
                yield path, line, f'"{included}": headers are included by their path from the root'
            for files, forbidden, why, which in RULES:
                if (which == "all" or ours) and re.fullmatch(files, path) and re.match(forbidden, included):
                    yield path, line, f'includes "{included}": {why}'
        # Blanked, with line ends kept, so that line numbers stay right.
        code = COMMENT_OR_STRING.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), text)
        for files, word, why in WORDS:
            if re.fullmatch(files, path):
                for match in re.finditer(word, code):
                    yield path, code.count("\n", 0, match.start()) + 1, f"{match.group(0).strip()}: {why}"


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

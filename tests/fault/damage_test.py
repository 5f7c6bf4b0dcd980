#!/usr/bin/python3
"""Files of the data folder are truncated, removed or have bits flipped: search_service must notice, and say what to do.

Every file in turn is damaged while the service is stopped, in several ways; then some while it runs. The service may refuse to
start (exit status 1, with a remedy), or answer errors that say one, or say that an answer is incomplete; the index it must build
anew by itself. What it may not do is to answer a fixed set of questions in another way than before the damage once its check
(CheckIndex) has found nothing. Each case begins with a copy of a folder that was closed in order, or of one whose process was
killed.

What happens before the check is counted, and is no failure, as neither SQLite nor Xapian has checksums of what is read: wrong
answers, and searches that Xapian, led astray by a damaged block, never ends, or with which it ends the process. After that a
process that is started anew, and checked first, must come right.

    tests/fault/damage_test.py --bin build/release/bin --proto proto --rounds 400

`--rounds` is how many cases there are; all kinds of files have their turn. `--no_damage` checks the test: nothing is damaged, so
that it must fail, as nothing is noticed. Prints one line of counts. Exits with 77 (skipped) where Python's gRPC packages are
not installed.
"""

import argparse
import glob
import json
import os
import random
import re
import shutil
import sys
import tempfile
import time

import fault_support as support
from fault_support import Client, Modules, ServiceError, Services, WORDS

SAMPLES = os.path.join(support.HERE, "..", "..", "samples")
QUERIES = ("", "oil", "canal treaty", "minister AND sanctions", "gas", "women work", "dreizehn OR drought", "title:bank",
           "vaccine", "grain -army", "elect*")
REMEDY = re.compile(r"backup copy|snapshot|RebuildIndex|rebuilt|check the disk|send them again|send it again|try again|restore")
MEND_SECONDS = 90
SEARCH_SECONDS = 20


def ingest(client, articles):
    m = client.m
    for begin in range(0, len(articles), 100):
        request = m.ingest.IngestArticlesRequest()
        for article in articles[begin:begin + 100]:
            item = request.items.add().article
            item.id, item.title, item.body = article["id"], article["title"], article["body"]
            if "url" in article:
                item.url = article["url"]
        for result in client.ingest.IngestArticles(request, timeout=60).results:
            if result.HasField("error"):
                sys.exit(f"{result.id}: {result.error}")


def some_articles(rng, count, prefix):
    return [{"id": f"{prefix}{i}", "title": f"{rng.choice(WORDS)} {i}",
             "body": " ".join(rng.choices(WORDS, k=rng.choice((5, 40, 400))))} for i in range(count)]


class Lost(Exception):
    """Xapian, led astray by a damaged block, goes round in circles ("hung") or takes the process with it ("died")."""


class Incomplete(Exception):
    """The answer says of itself that it lacks something."""


def answers(client):
    """What a fixed set of questions gets, in a form that two ways of building the same index share: hits are sorted, as scores
    count articles that are gone until their segment is merged."""
    m = client.m
    found = {}
    for query in QUERIES:
        request = m.search.SearchRequest(query=query, page_size=100, order_by="publish_time desc")
        ids, token = [], ""
        while True:
            request.page_token = token
            response = client.search.Search(request, timeout=SEARCH_SECONDS)
            if response.degraded:
                raise Incomplete(response.degraded[0].reason)
            ids += [hit.article.id for hit in response.hits]
            token = response.next_page_token
            if not token:
                break
        found[query] = (response.total.value, sorted(ids))
    found["texts"] = texts(client, found[""][1])
    return found


def texts(client, ids):
    m = client.m
    found = {}
    for begin in range(0, len(ids), 100):
        batch = client.search.BatchGetArticles(m.search.BatchGetArticlesRequest(ids=ids[begin:begin + 100]), timeout=60)
        for article_id, result in zip(ids[begin:], batch.results):
            article = result.article
            found[article_id] = (article.title, article.body, article.url, sorted(
                label.issue_id or label.region_code or label.group_id for label in article.labels))
    return found


def damage(path, way, rng):
    size = os.path.getsize(path)
    if way == "removed":
        os.unlink(path)
        return True
    if size == 0:
        return False
    if way == "emptied":
        os.truncate(path, 0)
    elif way == "cut":
        os.truncate(path, rng.randrange(size))
    else:
        with open(path, "r+b") as file:
            for _ in range(1 if way == "bit" else 64):
                at = rng.randrange(size)
                file.seek(at)
                byte = file.read(1)[0]
                file.seek(at)
                file.write(bytes([byte ^ (1 << rng.randrange(8))]))
    return True


WAYS = ("bit", "bits", "cut", "emptied", "removed")


def files_of(folder):
    return sorted(os.path.relpath(path, folder) for path in glob.glob(f"{folder}/**", recursive=True)
                  if os.path.isfile(path))


def kind_of(name):
    """Files of one kind are damaged alike; a few segments stand for all."""
    return re.sub(r"s\d{8}", "s*", name)


class Test:
    def __init__(self, options, modules, work, rng):
        self.options, self.m, self.work, self.rng = options, modules, work, rng
        self.counts = {"cases": 0, "refused_to_start": 0, "typed_errors": 0, "incomplete": 0, "found_in_store": 0, "mended": 0,
                       "unharmed": 0, "wrong_before_check": 0, "hung": 0, "died": 0, "silent": 0, "not_mended": 0}

    def note(self, outcome, case):
        self.counts[outcome] += 1
        if outcome in ("silent", "not_mended", "wrong_before_check", "hung", "died"):
            print(f"{outcome}: {case}", file=sys.stderr)

    def services(self, folder, classifier):
        services = Services(self.options.bin, data_dir=folder, with_gateway=False, with_classifier=False, with_search=False)
        services.classifier = classifier
        return services

    def rpc(self, call):
        """The answer, or None if there is an error that says what to do."""
        import grpc  # pylint: disable=import-outside-toplevel
        try:
            return call()
        except grpc.RpcError as error:
            code = error.code().name
            if code == "DEADLINE_EXCEEDED":
                raise Lost("hung") from error
            if any(words in error.details() for words in ("Socket closed", "reset by peer", "failed to connect")):
                raise Lost("died") from error
            if code not in ("DATA_LOSS", "UNAVAILABLE", "FAILED_PRECONDITION") or not REMEDY.search(error.details()):
                sys.exit(f"an error that does not say what to do: {code}: {error.details()}")
            self.counts["typed_errors"] += 1
            return None

    def ask(self, client):
        """The answers, or None if there are none that claim to be whole."""
        try:
            return self.rpc(lambda: answers(client))
        except Incomplete:
            self.counts["incomplete"] += 1
            return None

    def judge(self, client, expected, case, after_loss=False):
        """Asks, checks, and waits for what mends itself."""
        found = None if after_loss else self.ask(client)
        if found not in (None, expected):
            self.note("wrong_before_check", f"{case}: {difference(found, expected)}")
        harmed = found != expected
        limit = time.monotonic() + MEND_SECONDS
        while True:
            problem = self.rpc(lambda: support.check_index(client) or "")
            if problem:
                if not REMEDY.search(problem):
                    sys.exit(f"{case}: a check that does not say what to do: {problem}")
                harmed = True
                if "in the store" in problem.replace("not in the store", "") or "article store" in problem:
                    self.note("found_in_store", case)
                    return
            found = self.ask(client)
            if problem == "" and found == expected:
                self.note("mended" if harmed else "unharmed", case)
                return
            if problem == "" and found is not None:
                self.note("silent", f"{case}: {difference(found, expected)}")
                return
            if time.monotonic() > limit:
                self.note("not_mended", f"{case}: {problem}")
                return
            time.sleep(0.1)

    def stopped(self, base, expected, name, way, classifier):
        case = f"{name} {way}"
        self.counts["cases"] += 1
        folder = os.path.join(self.work, "case")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(base, folder)
        if not self.options.no_damage and not damage(os.path.join(folder, name), way, self.rng):
            return
        services = self.services(folder, classifier)
        try:
            services.start_search()
        except ServiceError as error:
            if not REMEDY.search(str(error)) or "search_service: " not in str(error):
                sys.exit(f"{case}: refused without a remedy: {error}")
            self.counts["refused_to_start"] += 1
            return
        client = Client(services.search.address, self.m)
        self.judge_and_stop(services, client, expected, case)

    def running(self, base, expected, name, way, classifier):
        case = f"{name} {way}, while it runs"
        self.counts["cases"] += 1
        folder = os.path.join(self.work, "case")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(base, folder)
        services = self.services(folder, classifier)
        services.start_search()
        client = Client(services.search.address, self.m)
        if answers(client) != expected:
            sys.exit(f"{case}: answers differ before anything was damaged")
        if not self.options.no_damage:
            damage(os.path.join(folder, name), way, self.rng)
        self.judge_and_stop(services, client, expected, case)

    def judge_and_stop(self, services, client, expected, case):
        try:
            self.judge(client, expected, case)
        except Lost as lost:
            self.note(str(lost), case)
            services.search.kill()
            client.close()
            # Once it is checked it must come right.
            services.start_search()
            client = Client(services.search.address, self.m)
            self.judge(client, expected, case, after_loss=True)
        client.close()
        if services.search.terminate() != 0:
            sys.exit(f"{case}: it does not stop in order\n{services.search.tail()}")


def difference(found, expected):
    for query in QUERIES:
        (total, ids), (expected_total, expected_ids) = found[query], expected[query]
        if (total, ids) != (expected_total, expected_ids):
            return (f"{query!r} finds {total} instead of {expected_total}, without {sorted(set(expected_ids) - set(ids))[:5]}, "
                    f"with {sorted(set(ids) - set(expected_ids))[:5]}")
    for article_id, text in expected["texts"].items():
        for part, expected_part in zip(found["texts"].get(article_id, ("", "", "", [])), text):
            if part != expected_part:
                return f"{article_id} says {str(part)[:200]!r} instead of {str(expected_part)[:200]!r}"
    return "nothing"


def make_bases(options, modules, work, rng):
    """One folder that was closed in order, and one whose process was killed, with a write-ahead log; what each answers."""
    samples = []
    for path in sorted(glob.glob(f"{SAMPLES}/*.jsonl")):
        with open(path, encoding="utf-8") as file:
            samples += [json.loads(line) for line in file if line.strip()]
    samples = [s for s in samples if s.get("id") and s.get("title") and s.get("body")]
    bases = []
    with Services(options.bin, data_dir=os.path.join(work, "base"), with_gateway=False) as services:
        client = Client(services.search.address, modules)
        ingest(client, samples + some_articles(rng, 250, "a"))
        ingest(client, some_articles(rng, 50, "a"))
        for i in range(0, 250, 10):
            client.ingest.DeleteArticle(modules.ingest.DeleteArticleRequest(id=f"a{i}"), timeout=30)
        if not support.wait_labelled(client, 120):
            sys.exit("the articles are not tagged")
        expected = answers(client)
        client.close()
        services.search.terminate()
        shutil.copytree(services.data_dir, os.path.join(work, "closed"))
        bases.append((os.path.join(work, "closed"), expected))
        services.start_search()
        client = Client(services.search.address, modules)
        ingest(client, some_articles(rng, 60, "b"))
        support.wait_labelled(client, 120)
        support.wait_visible(client)
        run = support.run_job(client, client.admin.CompactIndex(modules.admin.CompactIndexRequest(), timeout=60).job)
        if run.state != modules.admin.JOB_STATE_SUCCEEDED:
            sys.exit(f"CompactIndex: {run.error}")
        expected = answers(client)
        client.close()
        services.search.kill()
        shutil.copytree(services.data_dir, os.path.join(work, "killed"))
        bases.append((os.path.join(work, "killed"), expected))
        services.start_search()
    return bases


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    support.add_flags(parser, rounds=30)
    parser.add_argument("--no_damage", action="store_true", help="must fail")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else int(time.time())
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="dateline-damage-") as work:
        modules = Modules(options.proto, work)
        bases = make_bases(options, modules, work, rng)
        test = Test(options, modules, work, rng)
        cases = []
        for base, expected in bases:
            by_kind = {}
            for name in files_of(base):
                by_kind.setdefault(kind_of(name), []).append(name)
            for names in by_kind.values():
                for way in WAYS:
                    cases.append((base, expected, names, way))
        rng.shuffle(cases)
        with Services(options.bin, with_gateway=False, with_search=False) as services:
            for number in range(options.rounds):
                base, expected, names, way = cases[number % len(cases)]
                name = rng.choice(names)
                # SQLite has -shm mapped: who cuts it off takes the process's memory away.
                running = number % 4 == 3 and way != "removed" and not name.endswith("-shm")
                act = test.running if running else test.stopped
                act(base, expected, name, way, services.classifier)
    counts = test.counts
    print(f"damage_test: seed {seed}, {options.rounds} rounds of {len(cases)} kinds, {counts}")
    if counts["refused_to_start"] + counts["found_in_store"] + counts["mended"] == 0:
        sys.exit("no damage was noticed: the test says nothing")
    return 1 if counts["silent"] + counts["not_mended"] else 0


if __name__ == "__main__":
    sys.exit(main())

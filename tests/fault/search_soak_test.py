#!/usr/bin/python3
"""Searches stay right while everything beneath them is written anew.

A set of articles is written once, and from then on touched again and again without changing what any search should say of them.
Meanwhile other articles come, change and go, the index is compacted and rebuilt, and all articles are tagged again. Searches of
all kinds (words, phrases, exclusions; by relevance and time; with facets; page by page) must give at every moment what a look at
the set itself gives, and never fail.

    tests/fault/search_soak_test.py --bin build/release/bin --proto proto --seconds 600

Prints one line of counts. Exits with 77 (skipped) where Python's gRPC packages are not installed.
"""

import argparse
import collections
import os
import random
import sys
import tempfile
import threading
import time

import fault_support as support
from fault_support import Client, Ledger, Modules, Services, Stream, TAKEN, WORDS

SOURCE = "The Lasting Gazette"
AUTHORS = ("Ann Archer", "Bo Baker", "Cy Cook", "Di Dyer")
BEGINNING = 1_600_000_000  # When the first article of the set was published; each of the others an hour later.
SEARCHERS = 3
SLOWEST_ROUND = 240.0  # Seconds that a busy machine gets, after the time asked for, to have run each kind of job once.


class Lasting:
    """The articles that searches are judged by, and what a search of them must say."""

    def __init__(self, rng, count):
        self.words = [[word.lower() for word in rng.choices(WORDS, k=rng.choice((5, 40, 200)))] for _ in range(count)]
        self.authors = [rng.choice(AUTHORS) for _ in range(count)]

    def __len__(self):
        return len(self.words)

    def put(self, client, number, touch):
        request = client.m.ingest.IngestArticlesRequest()
        article = request.items.add().article
        article.id = f"lasting{number}"
        article.url = f"https://gazette.example/{number}?touched={touch}"
        article.title = f"Number {number}"
        article.body = " ".join(self.words[number])
        article.source = SOURCE
        article.authors.append(self.authors[number])
        article.publish_time.seconds = BEGINNING + 3600 * number
        result = client.ingest.IngestArticles(request, timeout=60).results[0]
        outcome = client.m.ingest.IngestOutcome.Name(result.outcome)
        if outcome not in TAKEN:
            sys.exit(f"{article.id} was not taken: {outcome} {result.error}")

    def question(self, rng):
        """A query and the numbers of the articles that it must find."""
        one, two = (word.lower() for word in rng.sample(WORDS, 2))
        kind = rng.choice(("word", "both", "either", "without", "phrase"))
        if kind == "word":
            return one, self.having(lambda words: one in words)
        if kind == "both":
            return f"{one} AND {two}", self.having(lambda words: one in words and two in words)
        if kind == "either":
            return f"{one} OR {two}", self.having(lambda words: one in words or two in words)
        if kind == "without":
            return f"{one} -{two}", self.having(lambda words: one in words and two not in words)
        return f'"{one} {two}"', self.having(lambda words: (one, two) in zip(words, words[1:]))

    def having(self, condition):
        return [number for number, words in enumerate(self.words) if condition(words)]


class Soak:
    def __init__(self, modules, address, lasting, seed):
        self.modules, self.address, self.lasting, self.seed = modules, address, lasting, seed
        self.over = threading.Event()
        self.round_done = threading.Event()  # Each kind of job ran once at least.
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.problems = []

    def problem(self, kind, message):
        with self.lock:
            self.counts[kind] += 1
            if len(self.problems) < 20:
                self.problems.append(message)

    def guarded(self, run, number):
        """What ends a thread is a problem of the test, too."""
        try:
            run(Client(self.address, self.modules), random.Random(self.seed * 100 + number))
        except BaseException as error:  # pylint: disable=broad-except
            self.problem("failed", f"{run.__name__}: {error!r}")
            self.over.set()

    def touch(self, client, rng):
        touch = 0
        while not self.over.is_set():
            touch += 1
            self.lasting.put(client, rng.randrange(len(self.lasting)), touch)
            self.counts["touched"] += 1
            self.over.wait(0.02)

    def jobs(self, client, rng):
        m = client.m.admin
        kinds = (("compacted", lambda: client.admin.CompactIndex(m.CompactIndexRequest(), timeout=60)),
                 ("rebuilt", lambda: client.admin.RebuildIndex(m.RebuildIndexRequest(), timeout=60)),
                 ("tagged_again", lambda: client.admin.RelabelArticles(m.RelabelArticlesRequest(), timeout=60)))
        while not self.over.is_set():
            for name, start in rng.sample(kinds, len(kinds)):  # Drawn round by round: chance leaves no kind out.
                job = support.run_job(client, start().job)
                if job.state == m.JOB_STATE_SUCCEEDED:
                    self.counts[name] += 1
                else:
                    self.problem("failed_jobs", f"{name}: {job.error}")
                if self.over.wait(rng.uniform(0.0, 1.0)):
                    break
            else:
                self.counts["rounds"] += 1
                self.round_done.set()

    def search(self, client, rng):
        while not self.over.is_set():
            query, expected = self.lasting.question(rng)
            if expected:  # Otherwise the search does what it can to find something.
                self.ask(client, rng, query, expected)

    def ask(self, client, rng, query, expected):
        order = rng.choice(("relevance", "publish_time desc", "publish_time asc"))
        request = client.m.search.SearchRequest(query=query, filter=f'source = "{SOURCE}"', order_by=order, page_size=20,
                                                view=rng.choice((1, 2)))
        faceted = rng.random() < 0.5
        if faceted:
            request.facets.add(field="author")
        ids = []
        for page in range(rng.choice((1, 1, 3))):
            try:
                answer = client.search.Search(request, timeout=60)
            except client.grpc.RpcError as error:
                self.problem("errors", f"{query} by {order}, page {page + 1}: {error.code().name} {error.details()}")
                return
            self.counts["searches"] += 1
            if answer.total.value != len(expected):
                self.problem("wrong_totals", f"{query} by {order}: {answer.total.value} of {len(expected)}")
            if faceted:
                found = {value.id: value.count for value in answer.facets[0].values}
                if found != collections.Counter(self.lasting.authors[number] for number in expected):
                    self.problem("wrong_facets", f"{query} by {order}: {found}")
            ids += [hit.article.id for hit in answer.hits]
            request.page_token = answer.next_page_token
            if not request.page_token:
                break
        wanted = [f"lasting{number}" for number in expected]
        if order == "publish_time desc":
            wanted.reverse()
        if order == "relevance":
            right = len(ids) == len(set(ids)) and set(ids) <= set(wanted)
        else:
            right = ids == wanted[:len(ids)]
        if not right or len(ids) < min(20, len(wanted)):
            self.problem("wrong_hits", f"{query} by {order}: {ids}, and should be {wanted[:len(ids)]}")

    def run(self, seconds):
        runs = [self.touch, self.jobs] + [self.search] * SEARCHERS
        threads = [threading.Thread(target=self.guarded, args=(run, number)) for number, run in enumerate(runs)]
        for thread in threads:
            thread.start()
        self.over.wait(seconds)
        self.round_done.wait(0.0 if self.over.is_set() else SLOWEST_ROUND)
        self.over.set()
        for thread in threads:
            thread.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    support.add_flags(parser)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--articles", type=int, default=600)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else int(time.time())
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="dateline-soak-") as work:
        modules = Modules(options.proto, work)
        with Services(options.bin, data_dir=os.path.join(work, "data"), with_gateway=False) as services:
            client = Client(services.search.address, modules)
            lasting = Lasting(rng, options.articles)
            for number in range(len(lasting)):
                lasting.put(client, number, 0)
            support.wait_visible(client)
            counts = support.new_counts()
            stream = Stream(client, Ledger(), rng, counts, pause=0.005)
            stream.start()
            soak = Soak(modules, services.search.address, lasting, seed)
            soak.run(options.seconds)
            stream.finish()
            problem = support.check_index(client)
            if problem is not None:
                soak.problem("failed_checks", f"CheckIndex: {problem}")
            client.close()
    for line in soak.problems:
        print(line, file=sys.stderr)
    print(f"search_soak_test: seed {seed}, {counts['acknowledged']} articles beside it, {dict(soak.counts)}")
    if not all(soak.counts[done] for done in ("searches", "touched", "rounds")):
        print("search_soak_test: not all of it was done", file=sys.stderr)
        return 1
    return 1 if soak.problems else 0


if __name__ == "__main__":
    sys.exit(main())

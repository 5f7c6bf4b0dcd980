#!/usr/bin/python3
"""The disk fills up at each point at which search_service writes, and has room again later.

With disk_faults.c before its disk, the N-th write, sync, new file or new folder below the data folder fails with "no space left",
and so do all that follow, until there is space again. Meanwhile whoever ingests is told to try again, and searches go on.
After that all goes on without a restart: nothing acknowledged is lost, and the index passes its full check.

    tests/fault/full_disk_test.py --bin build/release/bin --proto proto --faults build/release/tests/fault/libdisk_faults.so --all

`--all` takes every N, one after the other, until the work is done before the disk is full; without it some are drawn by chance.
`--error EIO` has the disk broken rather than full. `--never_heal` never gives space back: the test must fail. Prints one line
of counts. Exits with 77 (skipped) where Python's gRPC packages are not installed.
"""

import argparse
import errno
import os
import random
import sys
import tempfile
import time

import fault_support as support
from fault_support import Client, Control, GONE, Ledger, Modules, ServiceError, Services, TAKEN, WORDS

CODES = ("RESOURCE_EXHAUSTED", "UNAVAILABLE")


class Work:
    """What is done while the disk fills up: some of everything that writes."""

    def __init__(self, client, ledger, rng, counts):
        self.client, self.ledger, self.rng, self.counts = client, ledger, rng, counts
        self.number = 0

    def refused(self, error):
        """An error that says: later, and when."""
        trailers = b"".join(value for key, value in (error.trailing_metadata() or ()) if key == "grpc-status-details-bin")
        if error.code().name not in CODES or b"google.rpc.RetryInfo" not in trailers:
            sys.exit(f"not an error that says when to try again: {error.code().name}: {error.details()}")
        self.counts["refused_calls"] += 1

    def put(self, count):
        """How many of these articles were taken."""
        m = self.client.m
        request = m.ingest.IngestArticlesRequest()
        sent = []
        for article_id in self.rng.sample(range(support.IDS), count):
            self.number += 1
            article_id, title = f"a{article_id}", f"{self.rng.choice(WORDS)} {self.number}"
            item = request.items.add().article
            item.id, item.title, item.body = article_id, title, " ".join(self.rng.choices(WORDS, k=200))
            self.ledger.sent(article_id, self.number, title)
            sent.append((article_id, self.number))
        self.counts["sent"] += count
        taken = 0
        try:
            results = self.client.ingest.IngestArticles(request, timeout=30).results
        except self.client.grpc.RpcError as error:
            self.refused(error)
            results = None
        for i, (article_id, number) in enumerate(sent):
            if results is not None and m.ingest.IngestOutcome.Name(results[i].outcome) in TAKEN:
                self.ledger.answered(article_id, number)
                taken += 1
                continue
            if results is not None:
                error = results[i].error
                if error.code not in (8, 14) or not error.HasField("retry_delay"):
                    sys.exit(f"not an error that says when to try again: {error}")
                self.counts["refused_items"] += 1
            self.ledger.refused(article_id, number)
        self.counts["acknowledged"] += taken
        return taken

    def delete(self):
        m = self.client.m
        alive = [article_id for article_id, title in self.ledger.known.items() if title is not GONE]
        if not alive:
            return
        article_id = self.rng.choice(alive)
        self.number += 1
        self.ledger.sent(article_id, self.number, GONE)
        try:
            self.client.ingest.DeleteArticle(m.ingest.DeleteArticleRequest(id=article_id), timeout=30)
            self.ledger.answered(article_id, self.number)
            self.counts["deleted"] += 1
        except self.client.grpc.RpcError as error:
            self.refused(error)
            self.ledger.refused(article_id, self.number)

    def search(self):
        m = self.client.m
        self.client.search.Search(m.search.SearchRequest(query=self.rng.choice(WORDS)), timeout=30)
        self.counts["searches"] += 1

    def compact(self):
        job = support.run_job(self.client, self.client.admin.CompactIndex(
            self.client.m.admin.CompactIndexRequest(), timeout=30).job)
        self.counts["failed_jobs"] += bool(job.error)
        if job.error and "disk" not in job.error and "index" not in job.error:
            sys.exit(f"CompactIndex does not say what is wrong: {job.error}")

    def all(self):
        self.put(20)
        self.delete()
        self.search()
        self.put(3)
        self.compact()
        self.put(1)
        self.search()

    def recovers(self, seconds=20):
        """Whether articles are taken again, by and by."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            if self.put(2) == 2:
                return True
            time.sleep(0.1)
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    support.add_flags(parser, rounds=12)
    parser.add_argument("--faults", required=True, help="the built disk_faults.c")
    parser.add_argument("--all", action="store_true", help="every point at which something is written")
    parser.add_argument("--error", choices=("ENOSPC", "EIO"), default="ENOSPC")
    parser.add_argument("--never_heal", action="store_true", help="must fail")
    options = parser.parse_args()
    error = getattr(errno, options.error)
    seed = options.seed if options.seed is not None else int(time.time())
    rng = random.Random(seed)
    counts = {**support.new_counts(), "refused_calls": 0, "refused_items": 0, "failed_jobs": 0, "searches": 0, "failed_writes": 0,
              "not_recovered": 0}
    rounds = 0
    with tempfile.TemporaryDirectory(prefix="dateline-full-") as work:
        modules = Modules(options.proto, work)
        control = Control(os.path.join(work, "control"))
        data = os.path.join(work, "data")
        os.mkdir(data)
        with Services(options.bin, data_dir=data, with_gateway=False, with_search=False) as services:
            services.search_env = support.preload(options.faults, data, control=control)
            # On a full disk it does not start, and says so; nor does it leave anything that hinders it later.
            control.fail(error)
            try:
                services.start_search()
                sys.exit("it starts on a full disk")
            except ServiceError as refused:
                if "disk" not in str(refused) and os.strerror(error) not in str(refused):
                    sys.exit(f"it does not say what is wrong with the disk: {refused}")
            control.heal()
            services.start_search()
            client = Client(services.search.address, modules)
            doer = Work(client, Ledger(), rng, counts)
            doer.all()
            support.check(client, doer.ledger, counts)
            before = control.changes
            doer.all()
            support.wait_visible(client)
            points = control.changes - before
            after = 0
            while counts["not_recovered"] == 0:
                if not options.all and rounds == options.rounds:
                    break
                failed = control.failed
                control.fail(error, after=after if options.all else rng.randrange(points))
                doer.all()
                if not options.all or after < points:
                    # Those that write in the background have their turn, too.
                    time.sleep(rng.choice((0.0, 0.0, 0.3)))
                this = control.failed - failed
                if not options.never_heal:
                    control.heal()
                if not doer.recovers():
                    counts["not_recovered"] += 1
                    break
                support.check(client, doer.ledger, counts)
                rounds += 1
                counts["failed_writes"] += this
                after += 1
                if options.all and this == 0:
                    break
            control.fail(error)
            client.close()
            if services.search.terminate() != 0:
                sys.exit(f"it does not stop in order on a full disk\n{services.search.tail()}")
            control.heal()
            services.start_search()
            client = Client(services.search.address, modules)
            support.check(client, doer.ledger, counts)
            client.close()
    print(f"full_disk_test: seed {seed}, {options.error}, {rounds} rounds of {points} points, {counts}")
    if counts["failed_writes"] == 0:
        sys.exit("nothing failed: the test says nothing")
    return 1 if counts["not_recovered"] else support.verdict(counts)


if __name__ == "__main__":
    sys.exit(main())

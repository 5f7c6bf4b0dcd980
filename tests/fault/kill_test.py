#!/usr/bin/python3
"""search_service is killed (SIGKILL) at random moments under a stream of articles, and nothing acknowledged is lost.

A client streams new, changed and unchanged articles and deletes some, while segments are merged and the classifier tags
what comes. After each kill the service starts again on the same folder, and the test asks it for everything: each article
must be there once, as it was last acknowledged or as something sent later would have it; totals must agree; the
index must pass its full check.

    tests/fault/kill_test.py --bin build/release/bin --proto proto --rounds 200      # ten minutes and more; ctest runs a few rounds

Prints one line of counts. Exits with 77 (skipped) where Python's gRPC packages are not installed.
"""

import argparse
import os
import queue
import random
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.path.insert(0, os.path.join(HERE, "..", "clients"))
from services import Services  # noqa: E402
import clients_test  # noqa: E402

IDS = 300
WORDS = "Iran oil minister talks canal sanctions election drought port treaty bank court army grain".split()
GONE = None  # What is known of an article that is not there.


class Ledger:
    """What each article may be: as last acknowledged, or as anything sent since would have it."""

    def __init__(self):
        self.known = {}    # id → title, or GONE
        self.pending = {}  # id → [(number, title or GONE)], sent and not answered

    def sent(self, article_id, number, title):
        self.pending.setdefault(article_id, []).append((number, title))

    def answered(self, article_id, number):
        entries = self.pending[article_id]
        for entry in entries:
            if entry[0] == number:
                self.known[article_id] = entry[1]
        # One stream's articles and the deletions between them are written in the order in which they were sent.
        self.pending[article_id] = [entry for entry in entries if entry[0] > number]

    def possible(self, article_id):
        return [self.known.get(article_id, GONE)] + [title for _, title in self.pending.get(article_id, [])]

    def settle(self, found):
        """What is there now is what is known."""
        self.known = dict(found)
        self.pending = {}


class Client:
    def __init__(self, address, modules):
        import grpc  # pylint: disable=import-outside-toplevel
        self.grpc = grpc
        self.m = modules
        self.channel = grpc.insecure_channel(address)
        self.ingest = modules.ingest_grpc.IngestServiceStub(self.channel)
        self.search = modules.search_grpc.SearchServiceStub(self.channel)
        self.admin = modules.admin_grpc.SearchAdminServiceStub(self.channel)

    def close(self):
        self.channel.close()


class Modules:
    def __init__(self, gen):
        sys.path.insert(0, gen)
        # pylint: disable=import-outside-toplevel,import-error
        from dateline.search.v1 import ingest_service_pb2, ingest_service_pb2_grpc
        from dateline.search.v1 import search_admin_service_pb2, search_admin_service_pb2_grpc
        from dateline.search.v1 import search_service_pb2, search_service_pb2_grpc
        self.ingest, self.ingest_grpc = ingest_service_pb2, ingest_service_pb2_grpc
        self.admin, self.admin_grpc = search_admin_service_pb2, search_admin_service_pb2_grpc
        self.search, self.search_grpc = search_service_pb2, search_service_pb2_grpc


class Stream:
    """Streams articles until the service goes away; deletes some beside it."""

    def __init__(self, client, ledger, rng, counts):
        self.client, self.ledger, self.rng, self.counts = client, ledger, rng, counts
        self.lock = threading.Lock()
        self.number = 0
        self.items = queue.Queue(maxsize=64)
        self.ids = {}
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.read), threading.Thread(target=self.write)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def join(self):
        self.over.set()
        while True:
            try:
                self.items.put_nowait(None)
                break
            except queue.Full:
                try:
                    self.items.get_nowait()  # Nobody will read it any more.
                except queue.Empty:
                    pass
        for thread in self.threads:
            thread.join()

    def requests(self):
        while True:
            item = self.items.get()
            if item is None:
                return
            yield item

    def read(self):
        try:
            for response in self.client.ingest.StreamIngest(self.requests(), timeout=120):
                if not response.HasField("ack"):
                    continue
                ack = response.ack
                outcome = self.client.m.ingest.IngestOutcome.Name(ack.outcome)
                with self.lock:
                    if outcome in ("INGEST_OUTCOME_CREATED", "INGEST_OUTCOME_UPDATED", "INGEST_OUTCOME_UNCHANGED"):
                        self.ledger.answered(self.ids[ack.client_sequence], ack.client_sequence)
                        self.counts["acknowledged"] += 1
                    elif outcome != "INGEST_OUTCOME_RETRY_LATER":
                        sys.exit(f"unexpected outcome {outcome}: {ack}")
        except self.client.grpc.RpcError:
            pass  # It was killed.
        self.over.set()

    def write(self):
        m = self.client.m
        while not self.over.is_set():
            article_id = f"a{self.rng.randrange(IDS)}"
            with self.lock:
                self.number += 1
                number = self.number
                delete = self.rng.random() < 0.03
                title = GONE if delete else f"{self.rng.choice(WORDS)} {self.counts['sent']}"
                self.counts["sent"] += 1
                # A deletion overtakes what is still on its way: only an article that has nothing there is deleted.
                if delete and self.ledger.pending.get(article_id):
                    continue
                self.ledger.sent(article_id, number, title)
                self.ids[number] = article_id
            if delete:
                try:
                    self.client.ingest.DeleteArticle(m.ingest.DeleteArticleRequest(id=article_id), timeout=30)
                    deleted = True
                except self.client.grpc.RpcError as error:
                    deleted = False
                    if error.code() != self.client.grpc.StatusCode.NOT_FOUND:
                        self.over.set()  # It was killed.
                        continue
                with self.lock:
                    self.ledger.answered(article_id, number)
                    self.counts["deleted"] += deleted
                continue
            request = m.ingest.StreamIngestRequest(client_sequence=number)
            request.article.id = article_id
            request.article.title = title
            request.article.body = " ".join(self.rng.choices(WORDS, k=self.rng.choice((5, 40, 200))))
            while not self.over.is_set():
                try:
                    self.items.put(request, timeout=0.1)
                    break
                except queue.Full:
                    pass


def everything(client):
    """All articles by ListArticles and BatchGetArticles: id → title. Fails where one comes twice."""
    m = client.m
    found, token = {}, ""
    while True:
        page = client.search.ListArticles(m.search.ListArticlesRequest(page_size=1000, page_token=token), timeout=60)
        for article in page.articles:
            if article.id in found:
                sys.exit(f"{article.id} is listed twice")
            found[article.id] = ""
        token = page.next_page_token
        if not token:
            break
    ids = list(found)
    for begin in range(0, len(ids), 100):
        batch = ids[begin:begin + 100]
        answer = client.search.BatchGetArticles(m.search.BatchGetArticlesRequest(ids=batch), timeout=60)
        for article_id, result in zip(batch, answer.results):
            if not result.HasField("article"):
                sys.exit(f"{article_id} is listed, and can't be read: {result.error}")
            found[article_id] = result.article.title
    return found


def check(client, ledger, counts):
    m = client.m
    token = client.admin.GetIndexInfo(m.admin.GetIndexInfoRequest(), timeout=60).durable_commit_token
    reached = client.ingest.WaitForCommit(
        m.ingest.WaitForCommitRequest(commit_token=token, stage=m.ingest.COMMIT_STAGE_VISIBLE), timeout=60)
    if reached.reached < m.ingest.COMMIT_STAGE_VISIBLE:
        sys.exit("the index does not catch up")
    found = everything(client)
    for article_id in {f"a{i}" for i in range(IDS)}:
        possible = ledger.possible(article_id)
        if found.get(article_id, GONE) not in possible:
            counts["lost"] += 1
            print(f"{article_id} is {found.get(article_id, GONE)!r}, and should be one of {possible}", file=sys.stderr)
    total = client.search.Search(m.search.SearchRequest(min_commit_token=token), timeout=60).total.value
    if total != len(found):
        counts["wrong_totals"] += 1
        print(f"a search finds {total} of {len(found)} articles", file=sys.stderr)
    job = client.admin.CheckIndex(m.admin.CheckIndexRequest(full=True), timeout=60).job
    while not job.HasField("end_time"):
        time.sleep(0.01)
        job = client.admin.GetJob(m.admin.GetJobRequest(id=job.id), timeout=60).job
    if job.state != m.admin.JOB_STATE_SUCCEEDED:
        counts["failed_checks"] += 1
        print(f"CheckIndex: {job.error}", file=sys.stderr)
    ledger.settle(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="folder of the built programs")
    parser.add_argument("--proto", required=True, help="root of the contracts")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seed", type=int, default=None, help="default: the clock's; printed")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else int(time.time())
    rng = random.Random(seed)
    counts = {"sent": 0, "acknowledged": 0, "deleted": 0, "lost": 0, "wrong_totals": 0, "failed_checks": 0}
    slowest = 0.0
    with tempfile.TemporaryDirectory(prefix="dateline-kill-") as work:
        clients_test.python_client(os.path.abspath(options.proto), work)
        modules = Modules(os.path.join(work, "gen"))
        ledger = Ledger()
        with Services(options.bin, data_dir=os.path.join(work, "data"), with_gateway=False) as services:
            services.search.terminate()
            for _ in range(options.rounds):
                begun = time.monotonic()
                services.start_search()
                slowest = max(slowest, time.monotonic() - begun)
                client = Client(services.search.address, modules)
                check(client, ledger, counts)
                stream = Stream(client, ledger, rng, counts)
                stream.start()
                time.sleep(rng.uniform(0.05, 3.0))
                services.search.kill()
                stream.join()
                client.close()
            services.start_search()
            client = Client(services.search.address, modules)
            check(client, ledger, counts)
            client.close()
    print(f"kill_test: seed {seed}, {options.rounds} rounds, {counts}, slowest start {slowest:.2f} s")
    bad = counts["lost"] + counts["wrong_totals"] + counts["failed_checks"]
    if counts["acknowledged"] == 0 or counts["deleted"] == 0:
        sys.exit("nothing was acknowledged, or nothing deleted: the test says nothing")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

"""What the tests of this folder share: clients, the ledger of what was acknowledged, and the check of everything against it."""

import ctypes
import faulthandler
import mmap
import os
import queue
import struct
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.path.insert(0, os.path.join(HERE, "..", "clients"))
from services import Service, ServiceError, Services  # noqa: E402,F401
import clients_test  # noqa: E402

SKIPPED = 77
IDS = 300
DELETE_EVERY = 33  # Of what is sent, one in so many is a deletion of an article that is there.
WORDS = "Iran oil minister talks canal sanctions election drought port treaty bank court army grain".split()
JOIN_SECONDS = 330  # Its calls end after 300.
GONE = None  # What is known of an article that is not there.
TAKEN = ("INGEST_OUTCOME_CREATED", "INGEST_OUTCOME_UPDATED", "INGEST_OUTCOME_UNCHANGED")


def add_flags(parser, rounds=None):
    parser.add_argument("--bin", required=True, help="folder of the built programs")
    parser.add_argument("--proto", required=True, help="root of the contracts")
    parser.add_argument("--seed", type=int, default=None, help="default: the clock's; printed")
    if rounds is not None:
        parser.add_argument("--rounds", type=int, default=rounds)


class Modules:
    """What protoc makes of the contracts, in a folder of its own."""

    def __init__(self, proto, work):
        clients_test.python_client(os.path.abspath(proto), work)
        self.load(os.path.join(work, "gen"))

    def load(self, gen):
        sys.path.insert(0, gen)
        # pylint: disable=import-outside-toplevel,import-error
        from dateline.search.v1 import ingest_service_pb2, ingest_service_pb2_grpc
        from dateline.search.v1 import search_admin_service_pb2, search_admin_service_pb2_grpc
        from dateline.search.v1 import search_service_pb2, search_service_pb2_grpc
        self.ingest, self.ingest_grpc = ingest_service_pb2, ingest_service_pb2_grpc
        self.admin, self.admin_grpc = search_admin_service_pb2, search_admin_service_pb2_grpc
        self.search, self.search_grpc = search_service_pb2, search_service_pb2_grpc


class Client:
    def __init__(self, address, modules):
        import grpc  # pylint: disable=import-outside-toplevel
        self.grpc = grpc
        self.m = modules
        # A channel of its own: what one client does to its connection is not to be felt by another.
        self.channel = grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
        self.ingest = modules.ingest_grpc.IngestServiceStub(self.channel)
        self.search = modules.search_grpc.SearchServiceStub(self.channel)
        self.admin = modules.admin_grpc.SearchAdminServiceStub(self.channel)

    def close(self):
        self.channel.close()


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

    def refused(self, article_id, number):
        """It was answered that nothing was stored."""
        self.pending[article_id] = [entry for entry in self.pending[article_id] if entry[0] != number]

    def possible(self, article_id):
        return [self.known.get(article_id, GONE)] + [title for _, title in self.pending.get(article_id, [])]

    def at_rest(self):
        """What is there and has nothing on its way, which a deletion would overtake."""
        return [article_id for article_id, title in self.known.items()
                if title != GONE and not self.pending.get(article_id)]

    def settle(self, found):
        """What is there now is what is known."""
        self.known = dict(found)
        self.pending = {}


class Stream:
    """Streams articles until the service goes away or stop() is called; deletes some beside it."""

    def __init__(self, client, ledger, rng, counts, limit=None, pause=0.0):
        self.client, self.ledger, self.rng, self.counts = client, ledger, rng, counts
        self.limit, self.pause = limit, pause
        self.lock = threading.Lock()
        self.number = 0
        self.items = queue.Queue(maxsize=64)
        self.ids = {}
        self.sent_at = {}
        self.latencies = []
        self.errors = []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.read), threading.Thread(target=self.write)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def join(self):
        """For when the service is gone."""
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
            thread.join(timeout=JOIN_SECONDS)
            if thread.is_alive():
                faulthandler.dump_traceback(all_threads=True)
                sys.exit(f"a thread of the client is still running {JOIN_SECONDS} s after its service went")

    def finish(self):
        """For when it is still there: all that was sent is answered when this returns."""
        self.over.set()
        self.threads[1].join()
        self.items.put(None)
        self.threads[0].join()

    def requests(self):
        while True:
            item = self.items.get()
            if item is None:
                return
            with self.lock:
                self.sent_at[item.client_sequence] = time.monotonic()
            yield item

    def read(self):
        try:
            for response in self.client.ingest.StreamIngest(self.requests(), timeout=300):
                if response.HasField("ack"):
                    self.acknowledge(response.ack)
        except self.client.grpc.RpcError as error:
            self.errors.append(error)  # It was killed.
        self.over.set()

    def acknowledge(self, ack):
        outcome = self.client.m.ingest.IngestOutcome.Name(ack.outcome)
        with self.lock:
            number = ack.client_sequence
            if number in self.sent_at:
                self.latencies.append(time.monotonic() - self.sent_at.pop(number))
            if outcome in TAKEN:
                self.ledger.answered(self.ids[number], number)
                self.counts["acknowledged"] += 1
            elif outcome == "INGEST_OUTCOME_RETRY_LATER":
                self.counts["retry_later"] = self.counts.get("retry_later", 0) + 1
                if not ack.error.reason and not ack.error.HasField("retry_delay"):
                    sys.exit(f"an item that is to be sent again has no delay: {ack}")
                self.ledger.refused(self.ids[number], number)
            else:
                sys.exit(f"unexpected outcome {outcome}: {ack}")

    def write(self):
        m = self.client.m
        while not self.over.is_set() and (self.limit is None or self.number < self.limit):
            if self.pause:
                self.over.wait(self.pause)
            article_id = f"a{self.rng.randrange(IDS)}"
            with self.lock:
                self.number += 1
                number = self.number
                present = self.ledger.at_rest() if number % DELETE_EVERY == 0 else []
                delete = bool(present)
                if delete:
                    article_id = self.rng.choice(present)
                title = GONE if delete else f"{self.rng.choice(WORDS)} {self.counts['sent']}"
                self.counts["sent"] += 1
                self.ledger.sent(article_id, number, title)
                self.ids[number] = article_id
            if delete:
                self.delete(article_id, number)
                continue
            request = m.ingest.StreamIngestRequest(client_sequence=number)
            request.article.id = article_id
            request.article.title = title
            request.article.body = " ".join(self.rng.choices(WORDS, k=self.rng.choice((5, 40, 200))))
            while True:
                try:
                    self.items.put(request, timeout=0.1)
                    break
                except queue.Full:
                    if self.over.is_set():
                        with self.lock:
                            self.ledger.refused(article_id, number)
                        break

    def delete(self, article_id, number):
        m, code = self.client.m, self.client.grpc.StatusCode
        try:
            self.client.ingest.DeleteArticle(m.ingest.DeleteArticleRequest(id=article_id), timeout=30)
            deleted = True
        except self.client.grpc.RpcError as error:
            deleted = False
            if error.code() == code.RESOURCE_EXHAUSTED:  # No room; when it is said, nothing was written.
                with self.lock:
                    self.ledger.refused(article_id, number)
                return
            if error.code() != code.NOT_FOUND:
                self.errors.append(error)
                if error.code() == code.UNAVAILABLE and "disk" not in error.details():
                    self.over.set()  # It was killed.
                return
        with self.lock:
            self.ledger.answered(article_id, number)
            self.counts["deleted"] += deleted


def new_counts():
    return {"sent": 0, "acknowledged": 0, "deleted": 0, "lost": 0, "wrong_totals": 0, "failed_checks": 0}


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


def wait_visible(client, timeout=60):
    m = client.m
    token = client.admin.GetIndexInfo(m.admin.GetIndexInfoRequest(), timeout=60).durable_commit_token
    reached = client.ingest.WaitForCommit(
        m.ingest.WaitForCommitRequest(commit_token=token, stage=m.ingest.COMMIT_STAGE_VISIBLE), timeout=timeout)
    if reached.reached < m.ingest.COMMIT_STAGE_VISIBLE:
        sys.exit("the index does not catch up")
    return token


def wait_labelled(client, timeout=60):
    m = client.m
    token = client.admin.GetIndexInfo(m.admin.GetIndexInfoRequest(), timeout=60).durable_commit_token
    limit = time.monotonic() + timeout
    while True:  # The service lets nobody wait for more than a minute.
        reached = client.ingest.WaitForCommit(
            m.ingest.WaitForCommitRequest(commit_token=token, stage=m.ingest.COMMIT_STAGE_LABELLED),
            timeout=max(limit - time.monotonic(), 1.0)).reached
        if reached >= m.ingest.COMMIT_STAGE_LABELLED or time.monotonic() > limit:
            return reached >= m.ingest.COMMIT_STAGE_LABELLED


def run_job(client, job):
    """The job as it ended."""
    while not job.HasField("end_time"):
        time.sleep(0.01)
        job = client.admin.GetJob(client.m.admin.GetJobRequest(id=job.id), timeout=60).job
    return job


def check_index(client, full=True):
    """None, or what the check says."""
    m = client.m
    job = run_job(client, client.admin.CheckIndex(m.admin.CheckIndexRequest(full=full), timeout=60).job)
    return None if job.state == m.admin.JOB_STATE_SUCCEEDED else job.error


def check(client, ledger, counts):
    """That what was acknowledged is there, and nothing else, and that the index says so, too."""
    m = client.m
    token = wait_visible(client)
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
    problem = check_index(client)
    if problem is not None:
        counts["failed_checks"] += 1
        print(f"CheckIndex: {problem}", file=sys.stderr)
    ledger.settle(found)


def verdict(counts):
    if counts["acknowledged"] == 0 or counts["deleted"] == 0:
        sys.exit("nothing was acknowledged, or nothing deleted: the test says nothing")
    return 1 if counts["lost"] + counts["wrong_totals"] + counts["failed_checks"] else 0


class Control:
    """The five numbers by which a running program's disk and clock are made to fail: see disk_faults.c."""

    NEVER = 2**64 - 1
    FORM = struct.Struct("<QQQQq")

    def __init__(self, path):
        self.path = path
        with open(path, "wb") as file:
            file.write(self.FORM.pack(0, self.NEVER, 0, 0, 0))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), self.FORM.size)

    def _read(self, index, form="<Q"):
        return struct.unpack_from(form, self.map, 8 * index)[0]

    @property
    def changes(self):
        return self._read(0)

    @property
    def failed(self):
        return self._read(3)

    def fail(self, error, after=0):
        """From so many further changes on all fail with this errno."""
        struct.pack_into("<Q", self.map, 16, error)
        struct.pack_into("<Q", self.map, 8, self.changes + after)

    def heal(self):
        struct.pack_into("<Q", self.map, 8, self.NEVER)

    def set_clock(self, seconds):
        # In one piece: the program reads it all the time.
        ctypes.c_int64.from_buffer(self.map, 32).value = int(seconds * 1e9)


def preload(library, root, log=None, control=None, boot_id=None):
    """The environment of a program whose disk is to be watched or to fail."""
    environment = {"LD_PRELOAD": os.path.abspath(library), "DATELINE_FAULT_ROOT": root}
    if log is not None:
        environment["DATELINE_FAULT_LOG"] = log
    if control is not None:
        environment["DATELINE_FAULT_CONTROL"] = control.path
    if boot_id is not None:
        environment["DATELINE_FAULT_BOOT_ID"] = boot_id
    return environment

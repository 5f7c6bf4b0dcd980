#!/usr/bin/python3
"""What nobody should do, and somebody will: two services on one folder, a clock that jumps, one id again and again, too much.

    tests/fault/misuse_test.py --bin build/release/bin --proto proto --faults build/release/tests/fault/libdisk_faults.so \\
        --one_id 100000

`--one_id` is how many articles with one id are streamed. `--no_jump` leaves the clock alone: the test must fail. Prints one line of
counts. Exits with 77 (skipped) where Python's gRPC packages are not installed.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time

import fault_support as support
from fault_support import Client, Control, Modules, Services, TAKEN, WORDS

HOUR = 3600
JUMPS = (2 * HOUR, 0, -2 * HOUR, 400 * 24 * HOUR, -400 * 24 * HOUR, 0)
QUICK = 10.0  # Seconds within which an article is acknowledged, found and tagged, whatever the clock says.


def expect(condition, message):
    if not condition:
        sys.exit(message)


def two_writers(services, client):
    """The second is refused, and told why and what to do; the first feels nothing."""
    second = subprocess.run([services.binary("search_service"), "--listen", "127.0.0.1:0", "--data_dir", services.data_dir,
                             "--classifier", "127.0.0.1:1"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                            check=False, encoding="utf-8")
    expect(second.returncode == 1, f"a second writer: exit status {second.returncode}: {second.stdout}")
    for words in ("in use by another process", f"pid {services.search.pid}", "choose another folder"):
        expect(words in second.stdout, f"a second writer is not told {words!r}: {second.stdout}")
    client.search.Search(client.m.search.SearchRequest(), timeout=30)


def put(client, articles, timeout=30):
    request = client.m.ingest.IngestArticlesRequest()
    for article_id, title, body in articles:
        item = request.items.add().article
        item.id, item.title, item.body = article_id, title, body
    return client.ingest.IngestArticles(request, timeout=timeout)


def outcome(client, result):
    return client.m.ingest.IngestOutcome.Name(result.outcome)[len("INGEST_OUTCOME_"):]


def jump(client, control, number, offset, expected, expired):
    """Seconds that an article took that was sent after the clock had jumped; None if it took too long."""
    m = client.m
    control.set_clock(offset)
    begun = time.monotonic()
    article_id = f"jump{number}"
    while True:
        try:
            answer = put(client, [(article_id, "A clock that jumps", "Oil and canals in Egypt.")])
            break
        except client.grpc.RpcError as error:
            # Abseil notices only after a second or two that the clock was set, gRPC at once: deadlines seem to have passed.
            if error.code() != client.grpc.StatusCode.DEADLINE_EXCEEDED or time.monotonic() > begun + QUICK:
                raise
            expired.append(offset)
            time.sleep(0.05)
    expect(outcome(client, answer.results[0]) == "CREATED", f"after a jump by {offset} s: {answer}")
    for stage in (m.ingest.COMMIT_STAGE_VISIBLE, m.ingest.COMMIT_STAGE_LABELLED):
        reached = m.ingest.COMMIT_STAGE_UNSPECIFIED
        while reached < stage:
            if time.monotonic() > begun + QUICK:
                return None
            reached = client.ingest.WaitForCommit(
                m.ingest.WaitForCommitRequest(commit_token=answer.commit_token, stage=stage), timeout=QUICK).reached
    found = client.search.Search(m.search.SearchRequest(query="canals", min_commit_token=answer.commit_token, page_size=100),
                                 timeout=QUICK)
    expect(article_id in {hit.article.id for hit in found.hits}, f"after a jump by {offset} s {article_id} is not found")
    ahead = client.admin.GetIndexInfo(m.admin.GetIndexInfoRequest(), timeout=QUICK).index_time.seconds - time.time()
    expect(abs(ahead - expected) < 60, f"the clock did not jump by {expected} s, but by {ahead:.0f}: the test says nothing")
    return time.monotonic() - begun


def update_times(client):
    """By the contract: an older update_time is stale; one more than a day ahead is dropped with a warning."""
    def send(title, seconds):
        request = client.m.ingest.IngestArticlesRequest()
        item = request.items.add().article
        item.id, item.title, item.body = "dated", title, "A body"
        if seconds is not None:
            item.update_time.FromSeconds(int(time.time()) + seconds)
        return client.ingest.IngestArticles(request, timeout=30).results[0]

    for title, seconds, wanted, warned in (("one", 0, "CREATED", False), ("two", -HOUR, "STALE", False),
                                           ("three", 3 * 24 * HOUR, "UPDATED", True), ("four", None, "UPDATED", False)):
        result = send(title, seconds)
        expect(outcome(client, result) == wanted and bool(result.warnings) == warned,
               f"update_time {seconds}: {result} instead of {wanted}")


def twice_in_a_batch(client):
    """They are taken in order: the last one counts."""
    answer = put(client, [("twice", "first", "A body"), ("other", "other", "A body"), ("twice", "second", "A body"),
                          ("twice", "second", "A body")])
    outcomes = [outcome(client, result) for result in answer.results]
    expect(outcomes == ["CREATED", "CREATED", "UPDATED", "UNCHANGED"], f"one id thrice in a batch: {outcomes}")
    article = client.search.GetArticle(client.m.search.GetArticleRequest(id="twice"), timeout=30).article
    expect(article.title == "second", f"the last of a batch does not count: {article.title}")


def one_id(client, count):
    """So many articles with one id in a stream: each is acknowledged, the last one stays."""
    m = client.m

    def requests():
        for number in range(1, count + 1):
            request = m.ingest.StreamIngestRequest(client_sequence=number)
            request.article.id, request.article.title, request.article.body = "again", f"Edition {number}", WORDS[number % 14]
            yield request

    acknowledged, tokens, retry = set(), [], []
    for response in client.ingest.StreamIngest(requests(), timeout=3000):
        if response.HasField("ack"):
            name = m.ingest.IngestOutcome.Name(response.ack.outcome)
            if name in TAKEN:
                acknowledged.add(response.ack.client_sequence)
                tokens.append(response.ack.commit_token)
            elif name == "INGEST_OUTCOME_RETRY_LATER":
                retry.append(response.ack.client_sequence)
            else:
                sys.exit(f"one id again and again: {response.ack}")
    expect(len(acknowledged) + len(retry) == count, f"{len(acknowledged)} of {count} are acknowledged")
    support.wait_visible(client, 120)
    article = client.search.GetArticle(m.search.GetArticleRequest(id="again"), timeout=30).article
    expect(article.title == f"Edition {max(acknowledged)}", f"not the last one stays: {article.title}")
    found = client.search.Search(m.search.SearchRequest(query="title:edition", page_size=100), timeout=30)
    expect([hit.article.id for hit in found.hits] == ["again"], f"it is found {len(found.hits)} times")
    return len(acknowledged)


def too_large(client, services):
    """A typed error, and everyone else goes on."""
    m = client.m
    huge = "oil and canals " * (64_000_000 // 15)

    def requests():
        for number, body in ((1, "A body"), (2, huge), (3, "Another body")):
            request = m.ingest.StreamIngestRequest(client_sequence=number)
            request.article.id, request.article.title, request.article.body = f"large{number}", "A title", body
            yield request

    big = client.grpc.insecure_channel(services.search.address, options=[("grpc.max_send_message_length", -1),
                                                                        ("grpc.use_local_subchannel_pool", 1)])
    outcomes, ended = {}, "OK"
    try:
        for response in m.ingest_grpc.IngestServiceStub(big).StreamIngest(requests(), timeout=120):
            if response.HasField("ack"):
                outcomes[response.ack.client_sequence] = outcome(client, response.ack)
    except client.grpc.RpcError as error:
        ended = error.code().name
    try:
        request = m.ingest.IngestArticlesRequest()
        item = request.items.add().article
        item.id, item.title, item.body = "large", "A title", huge
        m.ingest_grpc.IngestServiceStub(big).IngestArticles(request, timeout=120)
        sys.exit("an article of 64 MB is taken")
    except client.grpc.RpcError as error:
        unary = error.code().name
    big.close()
    typed = ("INVALID_ARGUMENT", "RESOURCE_EXHAUSTED")
    expect(outcomes.get(1, "CREATED") == "CREATED" and outcomes.get(2, "REJECTED") == "REJECTED", f"64 MB: {outcomes}")
    expect(ended in typed if 2 not in outcomes else outcomes.get(3) == "CREATED", f"64 MB: {outcomes}, then {ended}")
    expect(unary in typed, f"64 MB in one call: {unary}")
    # Three MB come through, and are one article's error.
    answer = put(client, [("large4", "A title", huge[:3_000_000]), ("large5", "A title", "A body")])
    expect([outcome(client, result) for result in answer.results] == ["REJECTED", "CREATED"], f"3 MB: {answer.results}")
    expect("2" in answer.results[0].error.message, f"the limit is not said: {answer.results[0].error}")
    return f"{outcomes}, then {ended}; {unary} in one call"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    support.add_flags(parser)
    parser.add_argument("--faults", required=True, help="the built disk_faults.c")
    parser.add_argument("--one_id", type=int, default=2000)
    parser.add_argument("--no_jump", action="store_true", help="must fail")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else int(time.time())
    random.seed(seed)
    with tempfile.TemporaryDirectory(prefix="dateline-misuse-") as work:
        modules = Modules(options.proto, work)
        control = Control(os.path.join(work, "control"))
        data = os.path.join(work, "data")
        os.mkdir(data)
        with Services(options.bin, data_dir=data, with_gateway=False, with_search=False) as services:
            services.search_env = support.preload(options.faults, data, control=control)
            services.start_search()
            client = Client(services.search.address, modules)
            two_writers(services, client)
            update_times(client)
            twice_in_a_batch(client)
            size = too_large(client, services)
            taken = one_id(client, options.one_id)
            took, expired = {}, []
            m = modules
            for number, offset in enumerate(JUMPS):
                took[f"{number + 1}. {offset:+d} s"] = jump(client, control, number, 0 if options.no_jump else offset, offset,
                                                        expired)
            info = client.admin.GetIndexInfo(m.admin.GetIndexInfoRequest(), timeout=30)
            problem = support.check_index(client)
            expect(problem is None, f"CheckIndex: {problem}")
            client.close()
    print(f"misuse_test: seed {seed}, {taken} articles of one id, 64 MB: {size}, seconds after clock jumps: "
          f"{ {jumped: seconds and round(seconds, 2) for jumped, seconds in took.items()} }, {len(expired)} calls expired "
          f"by them, {info.article_count} articles")
    late = [jumped for jumped, seconds in took.items() if seconds is None or seconds > QUICK]
    expect(not late, f"not visible and tagged within {QUICK} s after the clock jumped by {late}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

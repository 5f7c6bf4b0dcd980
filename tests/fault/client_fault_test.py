#!/usr/bin/python3
"""Clients that die in the middle of a stream, send rubbish to the port, or never read their answers: others must not suffer.

While they do it an orderly client streams and searches: all of its articles are acknowledged, as quickly as before, and the
memory of search_service stays within bounds that are stated below, and comes to rest.

    tests/fault/client_fault_test.py --bin build/release/bin --proto proto --rounds 20

`--max_rss_mb` sets another bound; with 10 the test must fail. Prints one line of counts. Exits with 77 (skipped) where Python's
gRPC packages are not installed.
"""

import argparse
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import fault_support as support
from fault_support import Client, Ledger, Modules, Services, Stream, WORDS

MAX_RSS_MB = 700   # Of which some 150 are its own, and the rest what a bounded number of streams may hold.
SLOWEST_P99 = 30.0  # Seconds: that nobody is kept waiting, whatever else the machine does. How fast it is: bench/.
DEAF_STREAMS = 40
DEAF_SECONDS = 3
LEAST_TAKEN = 0.5  # Of what the orderly client sends: the deaf ones may fill the queue, of which it is told.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def items(modules, rng, count, first=1, prefix="x"):
    for number in range(first, first + count):
        request = modules.ingest.StreamIngestRequest(client_sequence=number)
        request.article.id = f"{prefix}{rng.randrange(1000)}"
        request.article.title = f"{rng.choice(WORDS)} {number}"
        request.article.body = " ".join(rng.choices(WORDS, k=200))
        yield request


def be_a_victim(address, gen):
    """In a process of its own: streams until it is killed."""
    modules = Modules.__new__(Modules)
    modules.load(gen)
    client = Client(address, modules)
    rng = random.Random()
    for _ in client.ingest.StreamIngest(items(modules, rng, 10**9, prefix="victim"), timeout=600):
        print("acknowledged", flush=True)


def die(address, gen, count):
    """Clients that are killed in the middle of a stream."""
    for _ in range(count):
        child = subprocess.Popen([sys.executable, os.path.abspath(__file__), "--victim", address, gen],
                                 stdout=subprocess.PIPE)
        for _ in range(5):
            child.stdout.readline()
        child.kill()
        child.wait()
        child.stdout.close()


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def rubbish(port, rng, count):
    """Connections that speak no gRPC; some are left open."""
    left = []
    for _ in range(count):
        shapes = [
            rng.randbytes(rng.randrange(1, 5000)),
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.randbytes(500),
            PREFACE + rng.randbytes(2000),
            PREFACE + frame(4, 0, 0, b"") + frame(1, 4, 1, rng.randbytes(50)),
            PREFACE + frame(4, 0, 0, b"") + frame(0, 0, 1, rng.randbytes(1000)) * 20,
            PREFACE + frame(4, 0, 0, b"\x00\x04\x7f\xff\xff\xff") + frame(6, 0, 0, bytes(8)) * 200,
            PREFACE + frame(4, 0, 0, b"") + struct.pack(">I", 2**24 - 1)[1:] + bytes([0, 0, 0, 0, 0, 1]),
            PREFACE[:10],
            b"",
        ]
        try:
            connection = socket.create_connection(("127.0.0.1", port), timeout=5)
            connection.sendall(rng.choice(shapes))
            if rng.random() < 0.5:
                # With a reset, not an orderly end.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
            else:
                left.append(connection)
        except OSError:
            pass  # It has had enough of us.
    return left


def be_deaf(address, gen):
    """In a process of its own: streams whose answers nobody reads, and that go on sending; some are ended, some cut off."""
    modules = Modules.__new__(Modules)
    modules.load(gen)
    client = Client(address, modules)
    calls = [client.ingest.StreamIngest(items(modules, random.Random(i), 2000, prefix="deaf"), timeout=600)
             for i in range(DEAF_STREAMS)]
    time.sleep(DEAF_SECONDS)
    for call in calls[::2]:
        call.cancel()
    time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGKILL)


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "--victim":
        return be_a_victim(sys.argv[2], sys.argv[3])
    if len(sys.argv) == 4 and sys.argv[1] == "--deaf":
        return be_deaf(sys.argv[2], sys.argv[3])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    support.add_flags(parser, rounds=1)
    parser.add_argument("--max_rss_mb", type=int, default=MAX_RSS_MB)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else int(time.time())
    rng = random.Random(seed)
    counts = {**support.new_counts(), "died": 0, "rubbish": 0, "deaf": 0, "searches": 0}
    rss = []
    bad = []
    with tempfile.TemporaryDirectory(prefix="dateline-clients-") as work:
        modules = Modules(options.proto, work)
        ledger = Ledger()
        with Services(options.bin, data_dir=os.path.join(work, "data"), with_gateway=False) as services:
            client = Client(services.search.address, modules)
            over = threading.Event()
            slow = []

            def search():
                other = Client(services.search.address, modules)
                while not over.wait(0.05):
                    begun = time.monotonic()
                    try:
                        other.search.Search(modules.search.SearchRequest(query=rng.choice(WORDS)), timeout=20)
                        counts["searches"] += 1
                    except other.grpc.RpcError as error:
                        bad.append(f"a search: {error.code().name}: {error.details()}")
                    slow.append(time.monotonic() - begun)
                    rss.append(services.search.rss_bytes() // 1_000_000)
                other.close()

            stream = Stream(client, ledger, rng, counts, pause=0.01)
            searcher = threading.Thread(target=search)
            stream.start()
            searcher.start()
            for _ in range(options.rounds):
                die(services.search.address, os.path.join(work, "gen"), 3)
                counts["died"] += 3
                left = rubbish(services.search.port, rng, 100)
                counts["rubbish"] += 100
                subprocess.run([sys.executable, os.path.abspath(__file__), "--deaf", services.search.address,
                                os.path.join(work, "gen")], check=False)
                counts["deaf"] += DEAF_STREAMS
                for connection in left:
                    connection.close()
            stream.finish()
            over.set()
            searcher.join()
            if stream.errors:
                bad.append(f"the orderly stream: {stream.errors[0].details()}")
            if counts["acknowledged"] < LEAST_TAKEN * counts["sent"]:
                bad.append(f"of {counts['sent']} articles of the orderly client {counts['acknowledged']} were taken")
            orderly(client, ledger, counts)
            client.close()
            latencies = sorted(stream.latencies)
    p99 = latencies[int(0.99 * len(latencies))] if latencies else 0.0
    slow.sort()
    print(f"client_fault_test: seed {seed}, {options.rounds} rounds, {counts}, p99 of acknowledgements {1000 * p99:.0f} ms, of searches "
          f"{1000 * slow[int(0.99 * len(slow))]:.0f} ms, memory {rss[0]} MB at first, {max(rss)} MB at most, {rss[-1]} MB at last")
    if max(rss) > options.max_rss_mb:
        bad.append(f"search_service took {max(rss)} MB, more than {options.max_rss_mb}")
    if p99 > SLOWEST_P99:
        bad.append(f"acknowledgements took {p99:.1f} s")
    if bad:
        sys.exit("\n".join(bad[:10]))
    return support.verdict(counts)


def orderly(client, ledger, counts):
    """The check of kill_test.py for the orderly client's articles; of the others' it is not known what was stored."""
    everything = support.everything(client)
    for article_id, title in everything.items():
        if not article_id.startswith("a"):
            ledger.known[article_id] = title
    support.check(client, ledger, counts)


if __name__ == "__main__":
    sys.exit(main())

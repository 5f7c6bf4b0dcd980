#!/usr/bin/python3
"""The classifier is killed, hangs, is slow or talks rubbish while articles stream in: ingestion must not feel it.

Acknowledgements stay as quick as they are, and all articles are tagged within a minute of the classifier's return. In the last
act a classifier written in Python (python_classifier.py) stands in the place of ours, and its tags must arrive.

    tests/fault/classifier_fault_test.py --bin build/release/bin --proto proto --seconds 30

`--seconds` is how long each fault lasts. `--never_back` leaves the classifier away: the test must fail. Prints one line of
counts. Exits with 77 (skipped) where Python's gRPC packages are not installed.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time

import fault_support as support
from fault_support import Client, Ledger, Modules, Service, Services, Stream

TAGGED_WITHIN = 60.0
SLOWEST_P99 = 15.0  # Seconds, whatever else the machine does; who waited for the classifier would take 20. How fast it is: bench/.


def python_classifier(work, act, port):
    return Service("python_classifier", ["/usr/bin/python3", os.path.join(support.HERE, "python_classifier.py"), "--listen",
                                         f"127.0.0.1:{port}", "--act", act], env={"PYTHONPATH": os.path.join(work, "gen")})


def p99(latencies):
    return sorted(latencies)[int(len(latencies) * 0.99)] if latencies else 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    support.add_flags(parser)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--never_back", action="store_true", help="must fail")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else int(time.time())
    rng = random.Random(seed)
    counts = support.new_counts()
    report = {}
    bad = []
    with tempfile.TemporaryDirectory(prefix="dateline-classifier-") as work:
        modules = Modules(options.proto, work)
        ledger = Ledger()
        with Services(options.bin, data_dir=os.path.join(work, "data"), with_gateway=False) as services:
            client = Client(services.search.address, modules)
            port = services.classifier.port

            def stop_ours():
                services.classifier.terminate()

            def start_ours():
                services.start_classifier(f"127.0.0.1:{port}")

            def freeze(sign):
                return lambda: os.kill(services.classifier.pid, sign)

            impostor = []

            def swap(act):
                def begin():
                    stop_ours()
                    impostor.append(python_classifier(work, act, port))
                return begin

            def swap_back():
                impostor.pop().kill()
                start_ours()

            def kill():
                services.classifier.kill()

            acts = {"killed": (kill, start_ours), "hung": (freeze(signal.SIGSTOP), freeze(signal.SIGCONT))}
            for act in ("slow", "few", "empty", "errors", "bytes"):
                acts[act] = (swap(act), swap_back)
            for act, (begin, end) in acts.items():
                stream = Stream(client, ledger, rng, counts, pause=0.005)
                stream.start()
                time.sleep(0.2)
                begin()
                time.sleep(options.seconds)
                stream.finish()
                if stream.errors:
                    bad.append(f"{act}: {stream.errors[0].details()}")
                if not options.never_back:
                    end()
                back = time.monotonic()
                tagged = support.wait_labelled(client, TAGGED_WITHIN)
                info = client.admin.GetIndexInfo(modules.admin.GetIndexInfoRequest(), timeout=30)
                if not tagged or info.pending_article_count or info.failed_article_count:
                    bad.append(f"{act}: {info.pending_article_count} pending and {info.failed_article_count} failed after "
                               f"{TAGGED_WITHIN:.0f} s")
                if options.never_back:
                    break
                report[act] = f"p99 {1000 * p99(stream.latencies):.0f} ms, tagged after {time.monotonic() - back:.1f} s"
                if p99(stream.latencies) > SLOWEST_P99:
                    bad.append(f"{act}: acknowledgements take {p99(stream.latencies):.1f} s")
            if not bad:
                support.check(client, ledger, counts)
                bad += seam(client, modules, work, services, port)
                start_ours()
            elif options.never_back:
                start_ours()
            client.close()
    print(f"classifier_fault_test: seed {seed}, {counts}, {report}")
    if bad:
        sys.exit("\n".join(bad))
    return support.verdict(counts)


def seam(client, modules, work, services, port):
    """What is wrong with the labels that a classifier gives that is not ours."""
    services.classifier.terminate()
    stand_in = python_classifier(work, "well", port)
    try:
        request = modules.ingest.IngestArticlesRequest()
        for i in range(20):
            item = request.items.add().article
            item.id, item.title, item.body = f"seam{i}", "A title", "The Canal is wide." if i % 2 else "The river is long."
        client.ingest.IngestArticles(request, timeout=30)
        limit = time.monotonic() + TAGGED_WITHIN
        found = []
        while time.monotonic() < limit:
            found = client.search.Search(modules.search.SearchRequest(filter="issue = canals AND country = EG", page_size=100),
                                         timeout=30).hits if known(client, modules) else []
            if len(found) == 10:
                break
            time.sleep(0.1)
        ids = sorted(hit.article.id for hit in found)
        if ids != sorted(f"seam{i}" for i in range(1, 20, 2)):
            return [f"the labels of the classifier in Python did not arrive: {ids}"]
    finally:
        stand_in.kill()
    return []


def known(client, modules):
    """Whether the search service has that classifier's taxonomy: an issue it doesn't know is an error."""
    info = client.admin.GetIndexInfo(modules.admin.GetIndexInfoRequest(), timeout=30)
    return info.taxonomy_version == "python-1"


if __name__ == "__main__":
    sys.exit(main())

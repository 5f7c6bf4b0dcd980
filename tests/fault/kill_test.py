#!/usr/bin/python3
"""search_service is killed (SIGKILL) at random moments under a stream of articles, and nothing acknowledged is lost.

A client streams new, changed and unchanged articles and deletes some, while segments are merged, the classifier tags
what comes, and all that is there is tagged again. After each kill the service starts again on the same folder, and the test asks it for everything: each article
must be there once, as it was last acknowledged or as something sent later would have it; totals must agree; the
index must pass its full check.

    tests/fault/kill_test.py --bin build/release/bin --proto proto --rounds 200      # ten minutes and more; ctest runs a few rounds

Prints one line of counts. Exits with 77 (skipped) where Python's gRPC packages are not installed.
"""

import argparse
import os
import random
import sys
import tempfile
import time

import fault_support as support
from fault_support import Client, Ledger, Modules, Services, Stream


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    support.add_flags(parser, rounds=8)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else int(time.time())
    rng = random.Random(seed)
    counts = support.new_counts()
    slowest = 0.0
    with tempfile.TemporaryDirectory(prefix="dateline-kill-") as work:
        modules = Modules(options.proto, work)
        ledger = Ledger()
        with Services(options.bin, data_dir=os.path.join(work, "data"), with_gateway=False) as services:
            services.search.terminate()
            for _ in range(options.rounds):
                begun = time.monotonic()
                services.start_search()
                slowest = max(slowest, time.monotonic() - begun)
                client = Client(services.search.address, modules)
                support.check(client, ledger, counts)
                stream = Stream(client, ledger, rng, counts)
                stream.start()
                client.admin.RelabelArticles(modules.admin.RelabelArticlesRequest(), timeout=60)
                time.sleep(rng.uniform(0.05, 3.0))
                services.search.kill()
                stream.join()
                client.close()
            services.start_search()
            client = Client(services.search.address, modules)
            support.check(client, ledger, counts)
            client.close()
    print(f"kill_test: seed {seed}, {options.rounds} rounds, {counts}, slowest start {slowest:.2f} s")
    return support.verdict(counts)


if __name__ == "__main__":
    sys.exit(main())

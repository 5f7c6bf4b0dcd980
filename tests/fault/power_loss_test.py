#!/usr/bin/python3
"""The power fails at random moments under a stream of articles, and nothing acknowledged is lost.

search_service runs with disk_faults.c before its disk. It is killed, and of its folder is kept what a disk may keep:
what was forced to it, and of the rest a part (surviving_disk.py). On that it starts again, in another boot, and the test asks
it for everything, as kill_test.py does. The data folder itself is made by the service: its name must be safe as well.

    tests/fault/power_loss_test.py --bin build/release/bin --proto proto --faults build/release/lib/libdisk_faults.so --rounds 100

`--ignore_fsync` throws away what was forced to disk, too: the test must fail then. Prints one line of counts. Exits with 77
(skipped) where Python's gRPC packages are not installed.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
import uuid

import fault_support as support
from fault_support import Client, Ledger, Modules, Services, Stream
from surviving_disk import Disk


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    support.add_flags(parser, rounds=4)
    parser.add_argument("--faults", required=True, help="the built disk_faults.c")
    parser.add_argument("--ignore_fsync", action="store_true", help="nothing is ever forced to disk: must fail")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else int(time.time())
    rng = random.Random(seed)
    counts = {**support.new_counts(), "writes": 0, "syncs": 0}
    slowest = 0.0
    with tempfile.TemporaryDirectory(prefix="dateline-power-") as work:
        modules = Modules(options.proto, work)
        ledger = Ledger()
        disk_path = os.path.join(work, "disk0")
        boot_id = os.path.join(work, "boot_id")
        os.mkdir(disk_path)
        with Services(options.bin, data_dir=os.path.join(disk_path, "data"), with_gateway=False,
                      with_search=False) as services:
            for number in range(options.rounds + 1):
                with open(boot_id, "w", encoding="ascii") as file:
                    file.write(f"{uuid.uuid4()}\n")
                log = os.path.join(work, f"log{number}")
                disk = Disk(disk_path)
                services.data_dir = os.path.join(disk_path, "data")
                services.search_env = support.preload(options.faults, disk_path, log=log, boot_id=boot_id)
                begun = time.monotonic()
                services.start_search()
                slowest = max(slowest, time.monotonic() - begun)
                client = Client(services.search.address, modules)
                support.check(client, ledger, counts)
                if number == options.rounds:
                    client.close()
                    break
                stream = Stream(client, ledger, rng, counts)
                stream.start()
                time.sleep(rng.choice((rng.uniform(0.02, 1.0), rng.uniform(1.0, 3.0))))
                if rng.random() < 0.5:
                    # The index is forced to disk now, or is just being; otherwise it would be once in a minute.
                    client.admin.CompactIndex(modules.admin.CompactIndexRequest(), timeout=60)
                    time.sleep(rng.uniform(0.0, 1.0))
                services.search.kill()
                stream.join()
                client.close()
                disk.replay(log, ignore_syncs=options.ignore_fsync)
                if disk.mapped:
                    sys.exit(f"mapped and written, which the log does not see: {disk.mapped}")
                counts["writes"] += disk.records
                counts["syncs"] += disk.syncs
                survivor = os.path.join(work, f"disk{number + 1}")
                disk.survive(survivor, rng)
                shutil.rmtree(disk_path)
                os.unlink(log)
                disk_path = survivor
    print(f"power_loss_test: seed {seed}, {options.rounds} rounds, {counts}, slowest start {slowest:.2f} s")
    return support.verdict(counts)


if __name__ == "__main__":
    sys.exit(main())

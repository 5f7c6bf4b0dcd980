#!/usr/bin/python3
"""How good search is: judged queries, mistyped queries and known items, through the RPC with the default settings.

    tests/quality/relevance.py --bin build/release/bin --proto proto --data DATA/ir            # nDCG@10, all sets
    tests/quality/relevance.py ... --half odd --typos 7         # the same with a typo in each word of 5 letters and more
    tests/quality/relevance.py ... --known_item 500             # titles' rarest words, as typed
    tests/quality/relevance.py ... --known_item 500 --articles DATA/corpora/news.jsonl.zst --first 5000

DATA/ir has a folder for each set in BEIR's form (corpus.jsonl.zst, queries.jsonl, qrels.tsv; docs/data.md). Each set goes
into a search service of its own, with a classifier beside it. nDCG@10 has gains of the judgment's grade and logarithmic
discounts; queries without a relevant document are left out. --half: only queries whose id hashes (CRC-32) even or odd.
Queries are cut to the contract's 64 words and 1,000 bytes. --run_dir keeps a TREC run file for each set.

Beside it, where Debian's liblucene8-java and a JDK are installed, Lucene 8's BM25 (1.2, 0.75) with its English analyser
on the same files and queries, title and text in one field (lucene/Baseline.java); where python3-xapian is, bare Xapian
too: its TermGenerator, QueryParser, English stemmer and BM25 as they come, the query's words, in lower case, joined by
OR. What is missing is named first.

Prints one line for each set. Exits with 77 (skipped) where Python's gRPC packages or the data are missing.
"""

import argparse
import collections
import glob
import itertools
import json
import math
import os
import queue
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "fault"))
from fault_support import Client, Modules, Services, wait_labelled  # noqa: E402

DEPTH = 10
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def read_corpus(path):
    with subprocess.Popen(["zstdcat", path], stdout=subprocess.PIPE) as process:
        for line in process.stdout:
            yield json.loads(line)


def read_articles(path, count):
    """Articles of a corpus without queries (id, title, body), as read_corpus gives them."""
    for article in itertools.islice(read_corpus(path), count):
        yield {"_id": article["id"], "title": article["title"], "text": article["body"]}


def read_set(folder):
    with open(os.path.join(folder, "queries.jsonl"), encoding="utf-8") as file:
        queries = {entry["_id"]: entry["text"] for entry in map(json.loads, file)}
    judged = collections.defaultdict(dict)
    with open(os.path.join(folder, "qrels.tsv"), encoding="utf-8") as file:
        next(file)
        for line in file:
            query, document, grade = line.split("\t")
            judged[query][document] = int(grade)
    return queries, judged


def grade_of(name, grade):
    # Cranfield's -1 are strong matches.
    return 1 if name == "cranfield" and grade == -1 else max(grade, 0)


def ndcg(ranked, grades):
    gain = sum(grades.get(document, 0) / math.log2(rank + 2) for rank, document in enumerate(ranked[:DEPTH]))
    best = sum(grade / math.log2(rank + 2) for rank, grade in enumerate(sorted(grades.values(), reverse=True)[:DEPTH]))
    return gain / best


def mistyped(text, rng):
    """One random slip in each word of 5 letters and more, after the first letter."""
    def slip(match):
        word = match.group()
        if len(word) < 5:
            return word
        place = rng.randrange(1, len(word))
        kind = rng.choice(("replace", "insert", "drop", "swap"))
        if kind == "replace":
            letter = rng.choice([c for c in LETTERS if c != word[place].lower()])
            return word[:place] + letter + word[place + 1:]
        if kind == "insert":
            return word[:place] + rng.choice(LETTERS) + word[place:]
        if kind == "drop":
            return word[:place] + word[place + 1:]
        place = min(place, len(word) - 2)
        if place < 1 or word[place] == word[place + 1]:
            return word[:-1]
        return word[:place] + word[place + 1] + word[place] + word[place + 2:]
    return re.sub(r"[A-Za-z]+", slip, text)


def cut(text):
    words = text.split()
    while words and (len(words) > 64 or len(" ".join(words).encode()) > 1000):
        words.pop()
    return " ".join(words)


LUCENE = "/usr/share/java"


def lucene_ranks(corpus, queries):
    """query id → ten best document ids by Lucene; None where it is not installed."""
    jars = [path for part in ("core", "analyzers-common") for path in glob.glob(f"{LUCENE}/lucene-{part}-8*.jar")]
    if len(jars) < 2 or not shutil.which("java"):
        return None
    flat = lambda text: re.sub(r"\s+", " ", text)  # noqa: E731
    lines = [f"D\t{d['_id']}\t{flat(d.get('title', '') + ' ' + d.get('text', ''))}" for d in corpus]
    lines += [f"Q\t{query}\t{flat(text)}" for query, text in queries.items()]
    done = subprocess.run(["java", "-cp", ":".join(jars), os.path.join(HERE, "lucene", "Baseline.java")], check=True,
                          input="\n".join(lines) + "\n", capture_output=True, text=True, encoding="utf-8")
    return {line.split("\t")[0]: line.split("\t")[1].split() for line in done.stdout.splitlines()}


def xapian_ranks(corpus, queries):
    """query id → ten best document ids by bare Xapian; None where it is not installed."""
    try:
        import xapian  # pylint: disable=import-outside-toplevel
    except ImportError:
        return None
    stemmer = xapian.Stem("en")
    with tempfile.TemporaryDirectory(prefix="dateline-xapian-") as folder:
        database = xapian.WritableDatabase(os.path.join(folder, "index"), xapian.DB_CREATE)
        generator = xapian.TermGenerator()
        generator.set_stemmer(stemmer)
        generator.set_stemming_strategy(xapian.TermGenerator.STEM_SOME)
        for entry in corpus:
            document = xapian.Document()
            document.set_data(entry["_id"])
            generator.set_document(document)
            generator.index_text(entry.get("title", ""))
            generator.increase_termpos()
            generator.index_text(entry.get("text", ""))
            database.add_document(document)
        database.commit()
        parser = xapian.QueryParser()
        parser.set_database(database)
        parser.set_stemmer(stemmer)
        parser.set_stemming_strategy(xapian.QueryParser.STEM_SOME)
        parser.set_default_op(xapian.Query.OP_OR)
        enquire = xapian.Enquire(database)
        enquire.set_weighting_scheme(xapian.BM25Weight())
        ranks = {}
        for query, text in queries.items():
            # No flags: nothing in the text is an operator. In capitals, STEM_SOME would not stem it.
            enquire.set_query(parser.parse_query(text.lower(), 0))
            ranks[query] = [hit.document.get_data().decode() for hit in enquire.get_mset(0, DEPTH)]
        database.close()
        return ranks


# What ranks beside us, on the same files and queries: a name, what is to be installed for it, how it ranks.
BASELINES = (("Lucene", "liblucene8-java and a JDK", lucene_ranks), ("Xapian", "python3-xapian", xapian_ranks))


class Searcher:
    def __init__(self, services, modules):
        self.client = Client(services.search.address, modules)
        self.m = modules
        self.grpc = self.client.grpc

    def close(self):
        self.client.close()

    def ingest(self, documents):
        """Takes everything in, and waits until it is labelled; gives how many were taken."""
        waiting = queue.Queue(maxsize=256)

        def feed():
            for number, document in enumerate(documents, 1):
                request = self.m.ingest.StreamIngestRequest(client_sequence=number)
                request.article.id = "doc-" + document["_id"]
                request.article.title = document.get("title", "")
                request.article.body = document.get("text", "")
                waiting.put(request)
            waiting.put(None)

        threading.Thread(target=feed, daemon=True).start()
        taken = 0
        for response in self.client.ingest.StreamIngest(iter(waiting.get, None)):
            if not response.HasField("ack"):
                continue
            if response.ack.HasField("error"):
                print(f"  not taken: {response.ack.id}: {response.ack.error.message}", file=sys.stderr)
                continue
            taken += 1
        if not wait_labelled(self.client, timeout=600):
            sys.exit("not all articles were labelled in ten minutes")
        return taken

    def search(self, query, **fields):
        """The ids of the best hits."""
        while True:
            try:
                response = self.client.search.Search(
                    self.m.search.SearchRequest(query=query, page_size=DEPTH, view=1, **fields), timeout=60)
                break
            except self.grpc.RpcError as error:
                if error.code() != self.grpc.StatusCode.INVALID_ARGUMENT or " " not in query:
                    raise
                query = query.rsplit(" ", 1)[0]  # Too many terms: a word may be several.
        return [hit.article.id[len("doc-"):] for hit in response.hits]


def measure(name, folder, corpus, searcher, options, run_file):
    """nDCG@10 of each query by us, its mean by each baseline that is installed, and how long each of ours took."""
    queries, judged = read_set(folder)
    values, milliseconds = [], []
    rng = random.Random(options.typos)
    asked = {}
    asked_grades = {}
    for query_id, text in sorted(queries.items()):
        grades = {document: grade_of(name, grade) for document, grade in judged[query_id].items()}
        grades = {document: grade for document, grade in grades.items() if grade > 0}
        if options.typos is not None:
            text = mistyped(text, rng)
        half = "even" if zlib.crc32(query_id.encode()) % 2 == 0 else "odd"
        if not grades or options.half not in ("all", half):
            continue
        asked[query_id] = text
        asked_grades[query_id] = grades
        begun = time.monotonic()
        ranked = searcher.search(cut(text), **options.fields)
        milliseconds.append(1000 * (time.monotonic() - begun))
        values.append(ndcg(ranked, grades))
        if run_file:
            for rank, document in enumerate(ranked, 1):
                print(query_id, "Q0", document, rank, DEPTH - rank + 1, "dateline", file=run_file)
    beside = {}
    for baseline, _, rank_by in BASELINES:
        ranks = rank_by(corpus, asked)
        if ranks is not None:
            found = [ndcg(ranks.get(query_id, []), grades) for query_id, grades in asked_grades.items()]
            beside[baseline] = sum(found) / len(found)
    return values, beside, milliseconds


def columns(beside):
    return f" ({', '.join(f'{name} {mean:.4f}' for name, mean in beside.items())})" if beside else ""


def known_items(corpus, searcher, count, seed):
    """Titles' 2 to 4 rarest words, the last one half typed: how often the article is among the first three."""
    words_of = lambda text: re.findall(r"\w+", text.lower())  # noqa: E731
    frequency = collections.Counter(word for document in corpus for word in set(words_of(document.get("title", ""))))
    titles = collections.Counter(document.get("title", "") for document in corpus)
    chosen = [document for document in corpus
              if len(set(words_of(document.get("title", "")))) >= 3 and titles[document["title"]] == 1]
    rng = random.Random(seed)
    rng.shuffle(chosen)
    right = asked = 0
    for document in chosen[:count]:
        words = words_of(document["title"])
        rare = sorted(set(words), key=lambda word: (frequency[word], word))[:rng.randint(2, 4)]
        typed = [word for word in dict.fromkeys(words) if word in rare]
        last = typed[-1]
        typed[-1] = last[:max(3, (2 * len(last) + 2) // 3)]
        ranked = searcher.search(" ".join(typed), match_mode=2)
        asked += 1
        right += document["_id"] in ranked[:3]
    return right, asked


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--proto", required=True)
    parser.add_argument("--data", required=True, help="the folder with a folder for each set")
    parser.add_argument("--sets", default="", help="only these, with commas between them")
    parser.add_argument("--half", choices=("all", "even", "odd"), default="all")
    parser.add_argument("--typos", type=int, default=None, metavar="SEED")
    parser.add_argument("--known_item", type=int, default=0, metavar="COUNT")
    parser.add_argument("--articles", default="", metavar="FILE", help="known items of these (JSON Lines, zstd), of no set")
    parser.add_argument("--first", type=int, default=5000, metavar="COUNT", help="so many of the articles")
    parser.add_argument("--run_dir", default="")
    parser.add_argument("--fields", type=json.loads, default={}, metavar="JSON",
                        help="fields of the request that are not to be as by default: {\"typo_mode\": 3}")
    options = parser.parse_args()
    try:
        import grpc  # noqa: F401 pylint: disable=import-outside-toplevel,unused-import
    except ImportError:
        print("skipped: python3-grpcio is not installed")
        return 77
    if not os.path.isdir(options.data):
        print(f"skipped: there is no folder {options.data}")
        return 77
    names = [name for name in options.sets.split(",") if name] or sorted(os.listdir(options.data))
    if options.articles:
        if not options.known_item:
            parser.error("--articles is for --known_item")
        names = [os.path.basename(options.articles).split(".")[0]]
    means = []
    baseline_means = collections.defaultdict(list)
    if not options.known_item:
        for baseline, packages, rank_by in BASELINES:
            if rank_by([{"_id": "1", "text": "word"}], {"1": "word"}) is None:
                print(f"no {baseline} beside it: {packages} is not installed", flush=True)
    with tempfile.TemporaryDirectory(prefix="dateline-relevance-") as work:
        modules = Modules(options.proto, work)
        for name in names:
            folder = os.path.join(options.data, name)
            with Services(options.bin, with_gateway=False) as services:
                searcher = Searcher(services, modules)
                corpus = list(read_articles(options.articles, options.first) if options.articles else
                              read_corpus(os.path.join(folder, "corpus.jsonl.zst")))
                taken = searcher.ingest(corpus)
                if options.known_item:
                    right, asked = known_items(corpus, searcher, options.known_item, 1)
                    print(f"{name}: known items {right} of {asked} in the first three: {right / max(asked, 1):.3f}",
                          flush=True)
                    means.append(right / max(asked, 1))
                else:
                    run_file = None
                    if options.run_dir:
                        os.makedirs(options.run_dir, exist_ok=True)
                        run_file = open(os.path.join(options.run_dir, name + ".run"), "w", encoding="utf-8")
                    values, beside, milliseconds = measure(name, folder, corpus, searcher, options, run_file)
                    if run_file:
                        run_file.close()
                    milliseconds.sort()
                    mean = sum(values) / len(values)
                    means.append(mean)
                    for baseline, value in beside.items():
                        baseline_means[baseline].append(value)
                    print(f"{name}: nDCG@10 {mean:.4f}{columns(beside)}, {len(values)} queries, {taken} documents, "
                          f"p50 {milliseconds[len(milliseconds) // 2]:.1f} ms", flush=True)
                searcher.close()
    beside = {baseline: sum(values) / len(values) for baseline, values in baseline_means.items()}
    print(f"mean {sum(means) / len(means):.4f}{columns(beside)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""What a newsroom's backend in Python does with Dateline.

    newsroom.py SEARCH_ADDRESS PAGE QUERY

Stores the page and three short notes, searches for the query and prints what came of it as JSON. Generate the modules first:
    mkdir -p out
    protoc -I proto --python_out=out --grpc_out=out --plugin=protoc-gen-grpc=$(command -v grpc_python_plugin) \\
        $(find proto -name '*.proto')
and put them into PYTHONPATH:
    PYTHONPATH=out tests/clients/newsroom.py 127.0.0.1:50052 samples/pages/chile-lithium.html lithium
"""

import json
import sys

import grpc
from dateline.article.v1 import article_pb2
from dateline.search.v1 import ingest_service_pb2, ingest_service_pb2_grpc, search_service_pb2, search_service_pb2_grpc

# Seconds; a call without a deadline may wait for ever.
DEADLINE = 30


def target(label):
    return getattr(label, label.WhichOneof("target"))


def ingest_page(ingest, path):
    """Hands the page over as it is, and waits until it can be found and carries its tags."""
    with open(path, "rb") as page:
        document = article_pb2.RawDocument(content=page.read(), media_type="text/html")
    response = ingest.IngestArticles(
        ingest_service_pb2.IngestArticlesRequest(
            items=[ingest_service_pb2.IngestItem(document=document)],
            view=article_pb2.ARTICLE_VIEW_FULL,
            wait_for=ingest_service_pb2.COMMIT_STAGE_LABELLED,
        ),
        timeout=DEADLINE,
    )
    return response.results[0], response.commit_token


def stream_articles(ingest, articles):
    """Sends articles as a job would; returns the outcomes by client sequence and the last durable sequence."""
    requests = (
        ingest_service_pb2.StreamIngestRequest(client_sequence=number, article=article)
        for number, article in enumerate(articles, 1)
    )
    outcomes, durable = {}, 0
    for response in ingest.StreamIngest(requests, timeout=DEADLINE):
        if response.WhichOneof("message") == "ack":
            outcomes[response.ack.client_sequence] = ingest_service_pb2.IngestOutcome.Name(response.ack.outcome)
        else:
            durable = response.watermark.durable_through
    return outcomes, durable


def main():
    if len(sys.argv) != 4 or "--help" in sys.argv:
        print(__doc__, file=sys.stdout if "--help" in sys.argv else sys.stderr)
        sys.exit(0 if "--help" in sys.argv else 2)
    address, page, query = sys.argv[1:]
    with grpc.insecure_channel(address) as channel:
        ingest = ingest_service_pb2_grpc.IngestServiceStub(channel)
        search = search_service_pb2_grpc.SearchServiceStub(channel)

        result, token = ingest_page(ingest, page)
        report = {
            "outcome": ingest_service_pb2.IngestOutcome.Name(result.outcome),
            "id": result.id,
            "title": result.article.title,
            "labels": sorted(target(label) for label in result.article.labels),
        }

        again, _ = ingest_page(ingest, page)
        report["again"] = ingest_service_pb2.IngestOutcome.Name(again.outcome)

        found = search.Search(
            search_service_pb2.SearchRequest(
                query=query,
                min_commit_token=token,
                facets=[search_service_pb2.FacetSpec(field="region_code")],
            ),
            timeout=DEADLINE,
        )
        report["total"] = found.total.value
        report["hits"] = [hit.article.id for hit in found.hits]
        report["facet"] = [[value.id, value.count] for value in found.facets[0].values] if found.facets else []

        # A mistake is answered by a typed error, with details that a program can read.
        try:
            search.Search(search_service_pb2.SearchRequest(query=query, page_size=-1), timeout=DEADLINE)
        except grpc.RpcError as error:
            report["error"] = error.code().name
            report["names_field"] = any(
                key == "grpc-status-details-bin" and b"page_size" in value for key, value in error.trailing_metadata()
            )

        outcomes, durable = stream_articles(ingest, [
            article_pb2.Article(id="py-1", title="A note from Oslo", body="Norway counts its reindeer again."),
            article_pb2.Article(id="not an id!", title="Refused", body="The id has blanks in it."),
            article_pb2.Article(id="py-3", title="A note from Quito", body="Ecuador rations electricity at night."),
        ])
        report["stream"] = [outcomes[number] for number in sorted(outcomes)]
        report["durable"] = durable
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()

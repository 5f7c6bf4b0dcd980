#!/usr/bin/python3
"""A ClassifierService of a few lines, as anyone may write one: it tags what speaks of canals. Or it misbehaves (--act)."""
import argparse
import os
import random
import time
from concurrent import futures

import grpc
from dateline.classifier.v1 import classifier_service_pb2 as pb, classifier_service_pb2_grpc as pb_grpc

SERVICE = "dateline.classifier.v1.ClassifierService"
VERSIONS = {"taxonomy_version": "python-1", "gazetteer_version": "python-1"}


def tag(article):
    response = pb.ClassifyResponse(language_code="en", model_version="python", **VERSIONS)
    if "canal" in article.body.lower():
        response.issues.add(issue_id="canals", score=0.9)
        response.countries.add(region_code="EG", score=0.8, primary=True)
    return pb.BatchClassifyResult(response=response)


class Classifier(pb_grpc.ClassifierServiceServicer):
    act = "well"

    def GetTaxonomy(self, request, context):  # pylint: disable=invalid-name
        names = [pb.LocalizedNames(language_code="en", display_name="A name")]
        return pb.GetTaxonomyResponse(issues=[pb.Issue(issue_id="canals", names=names)],
                                      regions=[pb.Region(region_code="EG", names=names)], etag="python-1", **VERSIONS)

    def BatchClassify(self, request, context):  # pylint: disable=invalid-name
        time.sleep(3 if self.act == "slow" else 0)
        if self.act == "errors":
            # INVALID_ARGUMENT is a verdict, not a fault: the article is at fault, and stays without tags.
            verdicts = (grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT)
            context.abort(random.choice([code for code in grpc.StatusCode if code not in verdicts]), "rubbish")
        wrong = {"few": [], "empty": [pb.BatchClassifyResult() for _ in request.requests]}
        return pb.BatchClassifyResponse(results=wrong.get(self.act, [tag(one.article) for one in request.requests]))


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--listen", default="127.0.0.1:0")
parser.add_argument("--act", choices=("well", "slow", "few", "empty", "errors", "bytes"), default="well")
options = parser.parse_args()
Classifier.act = options.act
server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
pb_grpc.add_ClassifierServiceServicer_to_server(Classifier(), server)
if options.act == "bytes":  # Answers that are no protobuf at all.
    rubbish = grpc.unary_unary_rpc_method_handler(lambda request, context: os.urandom(200))
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(
        SERVICE, {"GetTaxonomy": rubbish, "BatchClassify": rubbish})])
print(f"ready port={server.add_insecure_port(options.listen)}", flush=True)
server.start()
server.wait_for_termination()

#!/usr/bin/python3
"""Generates a client from the contracts alone, as any caller would, and runs it against the real services.

Exits with 77 (skipped), saying what is missing, where the language's gRPC packages are not installed.
"""

import argparse
import glob
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
from services import Services  # noqa: E402

SKIPPED = 77
GO_PACKAGES = "/usr/share/gocode"
PAGE = os.path.join(HERE, "..", "..", "samples", "pages", "chile-lithium.html")
TITLE = "Chile Wants to Own the Salt as Well as Dig It"


def skip(reason):
    print(f"SKIPPED: {reason}")
    sys.exit(SKIPPED)


def need(program, package):
    path = shutil.which(program)
    if path is None:
        skip(f"{program} is not installed (package {package})")
    return path


def protoc(proto, out, *flags):
    files = sorted(os.path.relpath(path, proto) for path in glob.glob(f"{proto}/**/*.proto", recursive=True))
    os.makedirs(out)
    subprocess.run([need("protoc", "protobuf-compiler"), "-I", proto, *flags, *files], check=True)


def python_client(proto, work):
    """The command that runs the client, and its environment."""
    try:
        import grpc  # noqa: F401  pylint: disable=import-outside-toplevel,unused-import
    except ImportError:
        skip("module grpc is not installed (package python3-grpcio)")
    plugin = need("grpc_python_plugin", "protobuf-compiler-grpc")
    out = os.path.join(work, "gen")
    protoc(proto, out, f"--python_out={out}", f"--grpc_out={out}", f"--plugin=protoc-gen-grpc={plugin}")
    return ["/usr/bin/python3", os.path.join(HERE, "newsroom.py")], {"PYTHONPATH": out}


def go_client(proto, work):
    go = need("go", "golang-go")
    need("protoc-gen-go", "protoc-gen-go")
    need("protoc-gen-go-grpc", "protoc-gen-go-grpc")
    if not os.path.isdir(f"{GO_PACKAGES}/src/google.golang.org/grpc"):
        skip("Go's gRPC is not installed (package golang-google-grpc-dev)")
    if not os.path.isdir(f"{GO_PACKAGES}/src/google.golang.org/protobuf"):
        skip("Go's protobuf is not installed (package golang-google-protobuf-dev)")
    out = os.path.join(work, "src")
    protoc(proto, out, f"--go_out={out}", f"--go-grpc_out={out}")
    # Debian's packages are sources below one GOPATH; no module is looked up, so nothing is fetched.
    environment = {
        "GO111MODULE": "off",
        "GOFLAGS": "",
        "GOPATH": f"{work}:{GO_PACKAGES}",
        "GOCACHE": os.path.join(work, "..", "go-cache"),
        "GOPROXY": "off",
        "CGO_ENABLED": "0",
    }
    program = os.path.join(work, "newsroom")
    subprocess.run([go, "build", "-o", program, os.path.join(HERE, "newsroom.go")], check=True,
                   env={**os.environ, **environment})
    return [program], {}


def check(report, name, expected):
    if report.get(name) != expected:
        sys.exit(f"{name}: got {report.get(name)!r}, expected {expected!r}\n{json.dumps(report, indent=2)}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--language", choices=("python", "go"), required=True)
    parser.add_argument("--bin", required=True, help="folder of the built programs")
    parser.add_argument("--proto", required=True, help="root of the contracts")
    parser.add_argument("--work", required=True, help="folder to generate and build in; emptied first")
    options = parser.parse_args()
    work = os.path.abspath(options.work)
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)

    make = python_client if options.language == "python" else go_client
    command, environment = make(os.path.abspath(options.proto), work)
    with Services(options.bin, with_gateway=False) as dateline:
        result = subprocess.run([*command, dateline.search.address, PAGE, "lithium brine"], stdout=subprocess.PIPE,
                                env={**os.environ, **environment}, timeout=120, check=False)
        if result.returncode != 0:
            raise AssertionError(f"the {options.language} client failed with {result.returncode}")
    report = json.loads(result.stdout)

    check(report, "outcome", "INGEST_OUTCOME_CREATED")
    check(report, "title", TITLE)
    for label in ("CL", "energy"):
        if label not in report["labels"]:
            sys.exit(f"labels: {label} is missing: {report['labels']}")
    check(report, "again", "INGEST_OUTCOME_UNCHANGED")
    check(report, "total", 1)
    check(report, "hits", [report["id"]])
    check(report, "facet", [["CL", 1]])
    if report["error"].replace("_", "").upper() != "INVALIDARGUMENT" or not report["names_field"]:
        sys.exit(f"page_size -1: got {report['error']}, names_field {report['names_field']}")
    check(report, "stream", ["INGEST_OUTCOME_CREATED", "INGEST_OUTCOME_REJECTED", "INGEST_OUTCOME_CREATED"])
    check(report, "durable", 3)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()

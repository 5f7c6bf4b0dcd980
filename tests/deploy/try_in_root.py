#!/usr/bin/python3
"""Tries the steps of the container files where no container engine runs: in bare roots made by debootstrap.

    tests/deploy/try_in_root.py [--suite bookworm|trixie] [--work /tmp/dateline-roots] [--ccache DIR] [--prebuilt DIR] [--keep]

As root, with debootstrap installed. Each stage of a container file is a root of its own, in which its COPY and RUN
lines are carried out with chroot; the stage that the three files share is built once. Then, in a network namespace of
their own, the three services are started in their final roots as their user with the file's command line; the
health probes of the files must turn green; the samples are ingested and searched; SIGTERM must end each with 0. At
last the units are checked by systemd-analyze in the root they were built in.
"""

import argparse
import contextlib
import ctypes
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dockerfile  # noqa: E402

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
SERVICES = ("classifier", "search", "gateway")
HEALTHY_WITHIN = 120  # seconds
NAMESPACED = "DATELINE_TRY_NAMESPACED"
CLONE_NEWNET = 0x40000000
CCACHE = "/root/.cache/ccache"  # Where ccache looks in a root.


def say(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


def run(*words, **options):
    return subprocess.run(words, check=True, **options)


@contextlib.contextmanager
def mounted(root, ccache=None):
    """/proc and /dev inside the root, and a folder of ccache, for as long as the block lasts."""
    run("mount", "-t", "proc", "proc", f"{root}/proc")
    run("mount", "--rbind", "--make-rslave", "/dev", f"{root}/dev")
    if ccache:
        os.makedirs(root + CCACHE, exist_ok=True)
        run("mount", "--bind", ccache, root + CCACHE)
    try:
        yield
    finally:
        if ccache:
            run("umount", "--lazy", root + CCACHE)
        run("umount", "--recursive", "--lazy", f"{root}/dev")
        run("umount", "--lazy", f"{root}/proc")


class Roots:
    """The roots below one folder: a bare Debian, and one for each stage."""

    def __init__(self, work, suite, ccache=None, prebuilt=None):
        self.work = work
        self.prebuilt = prebuilt
        self.ccache = ccache
        self.suite = suite
        self.built = []  # (stage, root)
        os.makedirs(work, exist_ok=True)

    def bare(self):
        base = f"{self.work}/{self.suite}"
        if not os.path.exists(f"{base}/.complete"):
            shutil.rmtree(base, ignore_errors=True)
            say(f"debootstrap {self.suite}")
            run("debootstrap", "--variant=minbase", self.suite, base, stdout=subprocess.DEVNULL)
            self.adopt_package_sources(base)
            with open(f"{base}/.complete", "w", encoding="ascii"):
                pass
        return base

    @staticmethod
    def adopt_package_sources(base):
        """A bare root knows one mirror; it gets this machine's way to the packages, proxies included."""
        shutil.copy("/etc/resolv.conf", f"{base}/etc/resolv.conf")
        for name in os.listdir("/etc/apt/apt.conf.d"):
            with open(f"/etc/apt/apt.conf.d/{name}", encoding="utf-8") as file:
                if "Acquire" in file.read():
                    shutil.copy(f"/etc/apt/apt.conf.d/{name}", f"{base}/etc/apt/apt.conf.d/{name}")

    def build(self, path):
        """Carries out a container file; returns the root of its last stage and that stage."""
        stages = dockerfile.parse(path)
        roots = {}
        for stage in stages:
            root = next((root for other, root in self.built if other == stage and stage.name), None)
            if root is None:
                root = f"{self.work}/{os.path.basename(path)}.{stage.name or 'final'}"
                shutil.rmtree(root, ignore_errors=True)
                run("cp", "--archive", "--reflink=auto", self.bare(), root)
                self.carry_out(stage, root, roots)
                self.built.append((stage, root))
            roots[stage.name] = root
        return roots[stages[-1].name], stages[-1], roots

    def carry_out(self, stage, root, roots):
        folder = "/"
        with mounted(root, self.ccache if stage.name else None):
            for instruction in stage.instructions:
                if instruction.word == "WORKDIR":
                    folder = instruction.text
                    os.makedirs(root + folder, exist_ok=True)
                elif instruction.word == "COPY":
                    copy(instruction.text, root, folder, roots)
                elif instruction.word == "RUN" and self.prebuilt and "cmake --build" in instruction.text:
                    say(f"{os.path.basename(root)}: NOT RUN, {self.prebuilt} is put in its place: {instruction.text[:60]}")
                    run("cp", "--archive", self.prebuilt, f"{root}/opt/dateline")
                elif instruction.word == "RUN":
                    say(f"{os.path.basename(root)}: {instruction.text[:100]}")
                    run("chroot", root, "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
                        *[f"{name}={os.environ[name]}" for name in ("http_proxy", "https_proxy") if name in os.environ],
                        "/bin/sh", "-ec", f"cd {folder} && {{ {instruction.text}\n}}")


def copy(text, root, folder, roots):
    words = shlex.split(text)
    source_root = roots[words.pop(0).removeprefix("--from=")] if words[0].startswith("--from=") else None
    *sources, destination = words
    target = root + os.path.join(folder, destination)
    if destination.endswith("/") or destination == ".":
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
    for source in sources:
        if source_root is not None:
            run("cp", "--archive", "--no-target-directory" if not destination.endswith("/") else "--target-directory",
                *((source_root + source, target) if not destination.endswith("/") else (target, source_root + source)))
        elif source == ".":
            # What a clone holds: .dockerignore leaves out what git does not know, and .git.
            files = run("git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard",
                        stdout=subprocess.PIPE).stdout.decode().split("\0")
            names = "\0".join(name for name in files if name and os.path.lexists(f"{ROOT}/{name}"))
            archive = subprocess.Popen(["tar", "-C", ROOT, "--null", "--files-from=-", "-c"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE)
            unpack = subprocess.Popen(["tar", "-C", target, "-x"], stdin=archive.stdout)
            archive.stdin.write(names.encode())
            archive.stdin.close()
            if archive.wait() != 0 or unpack.wait() != 0:
                raise RuntimeError("COPY . . failed")
        else:
            run("cp", "--archive", f"{ROOT}/{source}", target)


def in_root(root, user, *words):
    return ["chroot", f"--userspec={user}", root, *words]


def leave_network():
    """Puts this process into a network namespace of its own (os.unshare came with Python 3.12 only)."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


def try_services(images):
    """Starts, probes, uses and stops the services. `images`: name → (root, final stage)."""
    run("ip", "link", "set", "lo", "up")
    processes = {}
    try:
        for name in SERVICES:
            root, stage = images[name]
            with open(f"{root}/etc/hosts", "a", encoding="ascii") as hosts:
                hosts.write("127.0.0.1 localhost " + " ".join(SERVICES) + "\n")
            command = in_root(root, stage.only("USER"), *stage.command("ENTRYPOINT"), *stage.command("CMD"))
            say("start " + " ".join(command[2:]))
            processes[name] = subprocess.Popen(command)
        for name in SERVICES:
            root, stage = images[name]
            wait_until_healthy(name, in_root(root, stage.only("USER"), *stage.health_command()), processes[name])
        use(*images["search"])
        probe_page(*images["gateway"])
        for name in reversed(SERVICES):
            processes[name].send_signal(signal.SIGTERM)
            status = processes[name].wait(60)
            say(f"{name}: exit status {status}")
            if status != 0:
                raise RuntimeError(f"{name}: exit status {status} after SIGTERM")
    finally:
        for process in processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()


def wait_until_healthy(name, probe, process):
    started = time.monotonic()
    while time.monotonic() - started < HEALTHY_WITHIN:
        if process.poll() is not None:
            raise RuntimeError(f"{name}: ended with {process.returncode} before it was healthy")
        if subprocess.run(probe, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0:
            say(f"{name}: healthy after {time.monotonic() - started:.1f} s")
            return
        time.sleep(0.5)
    subprocess.run(probe, check=False)
    raise RuntimeError(f"{name}: not healthy within {HEALTHY_WITHIN} s")


def use(root, stage):
    shutil.copytree(f"{ROOT}/samples", f"{root}/samples", dirs_exist_ok=True)
    dateline = "/opt/dateline/bin/dateline"
    user = stage.only("USER")
    run(*in_root(root, user, dateline, "ingest", "--search", "127.0.0.1:50052", "/samples/pages", "/samples/columns.jsonl"))
    found = run(*in_root(root, user, dateline, "search", "--search", "127.0.0.1:50052", "flamingos"),
                stdout=subprocess.PIPE).stdout.decode()
    print(found)
    if "Chile Wants to Own the Salt" not in found:
        raise RuntimeError("the sample about Chile was not found")


def probe_page(root, stage):
    probe = stage.health_command()
    run(*in_root(root, stage.only("USER"), *probe[:-1], "/"))
    say("gateway: serves the page")


def check_units(root, prebuilt):
    """systemd-analyze in the root where everything was built, with the programs where the units look for them."""
    install = "cp -a /opt/dateline/bin/. /usr/local/bin" if prebuilt else "cmake --install build/release >/dev/null"
    with mounted(root):
        say("systemd-analyze verify")
        script = (
            "apt-get install --yes --no-install-recommends systemd >/dev/null && "
            f"{install} && "
            "install -D --mode=0644 deploy/systemd/dateline.conf /etc/dateline/dateline.conf && "
            "install --mode=0644 deploy/systemd/*.service deploy/systemd/dateline.target /etc/systemd/system/ && "
            "cd /etc/systemd/system && systemd-analyze verify --man=no dateline*.service dateline.target && "
            "systemd-analyze security --offline=yes dateline-search.service | tail -1")
        run("chroot", root, "/bin/sh", "-ec", f"cd /src && {script}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--suite", default="bookworm", choices=("bookworm", "trixie"))
    parser.add_argument("--work", default="/tmp/dateline-roots", help="folder of the roots; about 4 GB")
    parser.add_argument("--ccache", metavar="DIR", help="a ccache folder that the builds may use and fill")
    parser.add_argument("--prebuilt", metavar="DIR",
                        help="in a hurry: an installed Dateline (component Runtime) that was built on the same release of "
                             "Debian, to use in place of what the build step would give; all other steps are run")
    parser.add_argument("--keep", action="store_true", help="leave the roots there, to look at")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("try_in_root.py: needs root (chroot and mount)")
    if NAMESPACED not in os.environ:
        # Mounts of our own: none is left behind, whatever happens, and none can be removed with the roots.
        os.environ[NAMESPACED] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, *sys.argv])

    os.environ["ARG_DEBIAN"] = options.suite
    roots = Roots(options.work, options.suite, options.ccache, options.prebuilt)
    images = {}
    started = time.monotonic()
    for name in SERVICES:
        root, stage, stages = roots.build(f"{ROOT}/deploy/docker/{name}.Dockerfile")
        images[name] = (root, stage)
        build_root = stages["build"]
        size = run("du", "-smx", root, stdout=subprocess.PIPE).stdout.decode().split()[0]
        say(f"{name}: built, {size} MB, after {time.monotonic() - started:.0f} s")
    check_units(build_root, options.prebuilt)
    with contextlib.ExitStack() as stack:
        for root, _ in images.values():
            stack.enter_context(mounted(root))
        child = os.fork()
        if child == 0:
            # The services listen on their real ports: on a network that nobody else is on.
            status = 1
            try:
                leave_network()
                try_services(images)
                status = 0
            except Exception as error:  # pylint: disable=broad-except
                print(f"try_in_root.py: {error}", file=sys.stderr)
            finally:
                os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if not options.keep:
        for root in {root for _, root in roots.built}:
            shutil.rmtree(root, ignore_errors=True)
    if status != 0:
        sys.exit("try_in_root.py: failed")
    say(f"{options.suite}: all steps passed in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Container files, compose file, units and proxies agree with the programs and with each other.

Needs the built programs (--bin) for their flags; runs `systemd-analyze verify`, `nginx -t` and `caddy validate` where
they are installed.
"""

import argparse
import glob
import os
import re
import shutil
import subprocess
import tempfile
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dockerfile  # noqa: E402

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
PORTS = {"classifier": 50051, "search": 50052, "gateway": 8080}
PROGRAMS = {"classifier": "classifier_service", "search": "search_service", "gateway": "web_gateway"}
BIN = None


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def container_file(name):
    return dockerfile.parse(os.path.join(ROOT, "deploy", "docker", f"{name}.Dockerfile"))


def flags_of(program, *subcommand):
    result = subprocess.run([os.path.join(BIN, program), *subcommand, "--help"], capture_output=True, text=True,
                            timeout=30, check=True)
    return set(re.findall(r"(?<![\w-])--[a-z][a-z_-]*", result.stdout))


class ContainerFiles(unittest.TestCase):

    def test_share_their_first_stage(self):
        builders = [container_file(name)[0] for name in PORTS]
        self.assertEqual(builders[0], builders[1])
        self.assertEqual(builders[0], builders[2])

    def test_copy_only_what_the_tree_has(self):
        for name in PORTS:
            for stage in container_file(name):
                for source_stage, sources, _ in stage.copies():
                    for source in sources if source_stage is None else []:
                        self.assertTrue(os.path.exists(os.path.join(ROOT, source)), f"{name}: {source}")

    def test_do_not_run_as_root(self):
        for name in PORTS:
            user = container_file(name)[-1].only("USER")
            self.assertRegex(user, r"^[1-9]\d*:[1-9]\d*$", name)

    def test_listen_on_the_port_that_they_expose_and_probe(self):
        for name, port in PORTS.items():
            final = container_file(name)[-1]
            self.assertEqual(final.only("EXPOSE"), str(port))
            command = final.command("CMD")
            self.assertEqual(command[command.index("--listen") + 1], f"0.0.0.0:{port}")
            self.assertIn(str(port), " ".join(final.health_command()))

    def test_pass_flags_that_the_programs_know(self):
        for name, program in PROGRAMS.items():
            final = container_file(name)[-1]
            self.assertTrue(final.command("ENTRYPOINT")[0].endswith(f"/{program}"), name)
            given = {word for word in final.command("CMD") if word.startswith("--")}
            self.assertLessEqual(given, flags_of(program), name)

    def test_probe_with_a_command_that_exists(self):
        for name in PORTS:
            probe = container_file(name)[-1].health_command()
            if probe[0].endswith("/dateline"):
                self.assertLessEqual({word for word in probe if word.startswith("--")}, flags_of("dateline", probe[1]))
            else:
                self.assertTrue(os.access(os.path.join(ROOT, "deploy", "docker", os.path.basename(probe[0])), os.X_OK))


class ComposeFile(unittest.TestCase):

    def setUp(self):
        try:
            import yaml  # pylint: disable=import-outside-toplevel
        except ImportError:
            self.skipTest("module yaml is not installed (package python3-yaml)")
        self.compose = yaml.safe_load(read("deploy", "compose.yaml"))

    def test_builds_each_service_from_its_file(self):
        self.assertEqual(set(self.compose["services"]), set(PORTS))
        for name, service in self.compose["services"].items():
            self.assertTrue(os.path.exists(os.path.join(ROOT, service["build"]["dockerfile"])), name)

    def test_publishes_on_loopback_only(self):
        for name, service in self.compose["services"].items():
            self.assertEqual(service["ports"], [f"127.0.0.1:{PORTS[name]}:{PORTS[name]}"])

    def test_restarts_bounds_and_confines_each_service(self):
        for name, service in self.compose["services"].items():
            self.assertEqual(service["restart"], "unless-stopped", name)
            self.assertEqual(service["cap_drop"], ["ALL"], name)
            self.assertTrue(service["read_only"], name)
            self.assertIn("mem_limit", service, name)

    def test_names_hosts_that_are_its_services(self):
        for name in PORTS:
            command = container_file(name)[-1].command("CMD")
            for flag in ("--search", "--classifier"):
                if flag in command:
                    self.assertEqual(command[command.index(flag) + 1], f"{flag[2:]}:{PORTS[flag[2:]]}")

    def test_keeps_the_data_in_a_volume_where_the_container_writes(self):
        final = container_file("search")[-1]
        self.assertEqual(self.compose["services"]["search"]["volumes"], ["articles:/var/lib/dateline"])
        command = final.command("CMD")
        self.assertEqual(command[command.index("--data_dir") + 1], "/var/lib/dateline")


class Units(unittest.TestCase):

    def unit(self, name):
        return read("deploy", "systemd", f"dateline-{name}.service")

    def test_start_programs_with_flags_they_know(self):
        for name, program in PROGRAMS.items():
            line = re.search(r"(?m)^ExecStart=(\S+) (.*)$", self.unit(name))
            self.assertEqual(line.group(1), f"/usr/local/bin/{program}")
            self.assertLessEqual(set(re.findall(r"--[a-z_]+", line.group(2))), flags_of(program))

    def test_reload_the_classifier_once_its_files_are_checked(self):
        check, signal = re.findall(r"(?m)^ExecReload=(.*)$", self.unit("classifier"))
        program, *words = check.split()
        self.assertEqual(program, "/usr/local/bin/classifier_service")
        self.assertLessEqual({word for word in words if word.startswith("--")}, flags_of("classifier_service"))
        # The service, and the check of its files, are given the same.
        self.assertIn(words[-1], self.unit("classifier").split("ExecStart=")[1].splitlines()[0])
        self.assertEqual(signal, "/bin/kill -HUP $MAINPID")

    def test_explain_every_variable_they_read(self):
        sample = read("deploy", "systemd", "dateline.conf")
        for name in PORTS:
            for variable in re.findall(r"\$\{?(DATELINE_\w+)", self.unit(name)):
                self.assertRegex(sample, rf"(?m)^#{variable}=", name)

    def test_have_the_defaults_that_the_sample_states(self):
        sample = dict(re.findall(r"(?m)^#(DATELINE_\w+)=(.*)$", read("deploy", "systemd", "dateline.conf")))
        for name in PORTS:
            for line in re.findall(r"(?m)^Environment=(.*)$", self.unit(name)):
                for word in line.split():
                    variable, _, value = word.partition("=")
                    self.assertEqual(sample[variable], value, name)

    def test_are_confined(self):
        for name in PORTS:
            for setting in ("DynamicUser=yes", "NoNewPrivileges=yes", "ProtectSystem=strict", "Restart=on-failure",
                            "CapabilityBoundingSet=\n", "EnvironmentFile=-/etc/dateline/dateline.conf"):
                self.assertIn(setting, self.unit(name), name)
            self.assertRegex(self.unit(name), r"(?m)^MemoryMax=\d")

    def test_pass_systemds_own_check(self):
        analyze = shutil.which("systemd-analyze")
        if analyze is None:
            self.skipTest("systemd-analyze is not installed (package systemd)")
        with tempfile.TemporaryDirectory() as folder:
            # The check wants the programs to be there; they are here, and will be in /usr/local/bin.
            for path in glob.glob(os.path.join(ROOT, "deploy", "systemd", "dateline*.*")):
                with open(path, encoding="utf-8") as unit:
                    text = unit.read().replace("/usr/local/bin", BIN)
                with open(os.path.join(folder, os.path.basename(path)), "w", encoding="utf-8") as copy:
                    copy.write(text)
            units = sorted(glob.glob(f"{folder}/*.service") + glob.glob(f"{folder}/*.target"))
            result = subprocess.run([analyze, "verify", "--man=no", "--recursive-errors=no", *units],
                                    capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual((result.returncode, result.stdout + result.stderr), (0, ""))


class Proxies(unittest.TestCase):

    # bcrypt of nothing that anybody would have for a password.
    HASH = "$2a$14$" + "a" * 53

    def default_of(self, flag):
        text = subprocess.run([os.path.join(BIN, "web_gateway"), "--help"], capture_output=True, text=True, timeout=30,
                              check=True).stdout
        # CLI11 writes =N or [N].
        return float(re.search(rf"(?m)^ *--{flag} .*[=\[]([\d.]+)\]? *$", text).group(1))

    def test_pass_on_to_the_gateway_alone(self):
        for text in (read("deploy", "proxy", "nginx.conf"), read("deploy", "proxy", "Caddyfile")):
            self.assertEqual(set(re.findall(r"127\.0\.0\.1:(\d+)", text)), {str(PORTS["gateway"])})

    def test_have_a_login_and_keep_it(self):
        nginx = read("deploy", "proxy", "nginx.conf")
        self.assertRegex(nginx, r"(?m)^    auth_basic_user_file ")
        self.assertIn('proxy_set_header Authorization "";', nginx)
        caddy = read("deploy", "proxy", "Caddyfile")
        self.assertRegex(caddy, r"(?m)^\tbasicauth \{")
        self.assertIn("header_up -Authorization", caddy)

    def test_take_what_the_gateway_takes(self):
        # Base64 makes four bytes of three.
        body = self.default_of("max_request_bytes") / 3 * 4
        nginx = read("deploy", "proxy", "nginx.conf")
        self.assertGreater(int(re.search(r"client_max_body_size (\d+)m;", nginx).group(1)) * 2**20, body)
        self.assertGreaterEqual(int(re.search(r"large_client_header_buffers \d+ (\d+)k;", nginx).group(1)) * 1024,
                                self.default_of("max_header_bytes"))
        self.assertGreater(int(re.search(r"proxy_read_timeout (\d+)s;", nginx).group(1)),
                           self.default_of("max_timeout"))
        caddy = read("deploy", "proxy", "Caddyfile")
        self.assertGreater(int(re.search(r"max_size (\d+)MiB", caddy).group(1)) * 2**20, body)

    def test_pass_nginxs_own_check(self):
        nginx = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
        openssl = shutil.which("openssl")
        if nginx is None or openssl is None:
            self.skipTest("nginx or openssl is not installed (packages nginx-light, openssl)")
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=dateline.example",
                            "-keyout", f"{folder}/privkey.pem", "-out", f"{folder}/fullchain.pem"],
                           capture_output=True, timeout=60, check=True)
            site = read("deploy", "proxy", "nginx.conf").replace("/etc/ssl/dateline", folder)
            # The check opens the ports, which are not for everyone to have.
            site = re.sub(r"listen (80|443)", rf"listen unix:{folder}/\1", site)
            site = re.sub(r"(?m)^ *listen \[::\].*\n", "", site)
            places = "".join(f"{kind}_temp_path {folder}/{kind};"
                             for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            with open(f"{folder}/nginx.conf", "w", encoding="utf-8") as file:
                file.write(f"pid {folder}/pid; error_log stderr; events {{}}\n"
                           f"http {{ access_log off; {places} {site} }}")
            result = subprocess.run([nginx, "-t", "-q", "-e", "stderr", "-c", f"{folder}/nginx.conf"],
                                    capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual((result.returncode, result.stdout + result.stderr), (0, ""))

    def test_pass_caddys_own_check(self):
        caddy = shutil.which("caddy")
        if caddy is None:
            self.skipTest("caddy is not installed (package caddy)")
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder, "DATELINE_USER": "editor",
                           "DATELINE_PASSWORD_HASH": self.HASH}
            result = subprocess.run([caddy, "validate", "--adapter", "caddyfile", "--config",
                                     os.path.join(ROOT, "deploy", "proxy", "Caddyfile")],
                                    capture_output=True, text=True, timeout=60, check=False, env=environment)
            self.assertEqual(result.returncode, 0, result.stderr)


def main():
    global BIN  # pylint: disable=global-statement
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True, help="folder of the built programs")
    options, rest = parser.parse_known_args()
    BIN = os.path.abspath(options.bin)
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)


if __name__ == "__main__":
    main()

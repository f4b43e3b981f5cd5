"""The files of docs/deploy: they name what exists, log nothing about families, and fit the metrics and the guide."""

import json
import re
import shutil
import subprocess
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from engage.base.config import Settings
from engage.base.prometheus_recorder import LOADS, PrometheusRecorder
from engage.services import site_metrics
from engage.web.metrics import FAMILY_GROUPS, STAFF_GROUPS
from tests.paths import ROOT

DEPLOY = ROOT / "docs" / "deploy"
SYSTEMD = DEPLOY / "systemd"
COMPOSE = DEPLOY / "compose"
ANALYZE = shutil.which("systemd-analyze")
GUIDE = (ROOT / "docs" / "operations.md").read_text("utf-8")
LABELS = {"site", "group", "status", "le", "state", "kind", "file", "process", "place", "instance", "job", "source"}


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def rules() -> list[dict[str, Any]]:
    groups = loaded(DEPLOY / "prometheus" / "engage.rules.yml")["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    found = json.loads((DEPLOY / "grafana" / "engage.json").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def expressions() -> list[str]:
    """Every query of the alerts and of the dashboard."""
    queries = [target["expr"] for panel in dashboard()["panels"] for target in panel["targets"]]
    return [*(rule["expr"] for rule in rules()), *queries]


def metric_names() -> set[str]:
    """Every sample that /metrics can have: those of a process, and those that the module of the site names."""
    process = {
        name
        for metric in PrometheusRecorder().collect()
        for name in (metric.name, *(f"{metric.name}_{end}" for end in ("total", "bucket", "sum", "count")))
    }
    source = Path(site_metrics.__file__).read_text("utf-8")
    named = set(re.findall(r'"(engage_[a-z_]+)"', source))
    assert {title for title, _ in LOADS.values()} <= process
    return process | named | {f"{name}_total" for name in named if name.endswith("failures")} | {"up"}


@pytest.mark.parametrize("expression", expressions())
def test_every_query_names_metrics_labels_and_values_that_exist(expression: str) -> None:
    assert set(re.findall(r"\bengage_[a-z_]+", expression)) <= metric_names()
    selectors = re.findall(r'(\w+)(?:=~|!=|=)"([^"]*)"', expression)
    groupings = re.findall(r"by \(([^)]*)\)", expression)
    assert {label for label, _ in selectors} | {each.strip() for by in groupings for each in by.split(",")} <= LABELS
    known = {"entry", "survey", "health", *FAMILY_GROUPS.values(), *STAFF_GROUPS.values()}
    assert {each for label, values in selectors if label == "group" for each in values.split("|")} <= known
    assert expression.count("(") == expression.count(")")


def test_every_alert_is_in_the_guide_with_its_expression() -> None:
    table = {match[1]: match[2] for match in re.finditer(r"^\| `(Engage\w+)` \| `(.+?)` \| .+ \| .+ \|$", GUIDE, re.M)}
    written = {rule["alert"]: " ".join(rule["expr"].split()) for rule in rules()}
    assert {name: text.replace("\\|", "|") for name, text in table.items()} == written


def test_every_alert_says_how_urgent_it_is() -> None:
    assert {rule["labels"]["severity"] for rule in rules()} == {"page", "ticket"}
    assert all(rule["annotations"]["summary"] for rule in rules())
    assert len({rule["alert"] for rule in rules()}) == len(rules())


def test_every_alert_has_a_panel_with_its_metrics() -> None:
    shown = " ".join(target["expr"] for panel in dashboard()["panels"] for target in panel["targets"])
    unseen = {"engage_retention_overdue", "engage_retention_failing"}  # the panel has the time of the last run
    for rule in rules():
        assert set(re.findall(r"\bengage_[a-z_]+", rule["expr"])) - unseen <= set(
            re.findall(r"\bengage_[a-z_]+", shown)
        )


def test_the_panels_of_the_dashboard_do_not_overlap() -> None:
    panels = dashboard()["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not here")
def test_systemd_accepts_every_unit(tmp_path: Path) -> None:
    assert verified(tmp_path) == ""
    broken = tmp_path / "engage.service"
    broken.write_text(broken.read_text("utf-8").replace("Restart=", "Restrt="), "utf-8")
    assert "Restrt" in verified(tmp_path, fresh=False), "a wrong line would be seen"


def verified(folder: Path, fresh: bool = True) -> str:
    """What systemd-analyze says of the units. The programs that they start are installed elsewhere."""
    if fresh:
        shutil.copytree(SYSTEMD, folder, dirs_exist_ok=True)
        for path in folder.rglob("*"):
            if path.is_file():
                text = path.read_text("utf-8")
                path.write_text(re.sub(r"/opt/engage/.venv/bin/engage|/usr/local/lib/engage/[\w-]+", "/bin/true", text))
    units = [str(path) for path in sorted(folder.iterdir()) if path.suffix in (".service", ".timer")]
    environ = {"PATH": "/usr/bin:/bin", "SYSTEMD_UNIT_PATH": f"{folder}:"}
    done = subprocess.run(
        [str(ANALYZE), "verify", "--man=no", *units], capture_output=True, text=True, env=environ, check=False
    )
    return done.stdout + done.stderr


def test_every_timer_has_a_service_and_every_unit_is_in_the_guide() -> None:
    names = {path.name for path in SYSTEMD.iterdir() if path.is_file()}
    assert {name.replace(".timer", ".service") for name in names} <= names
    assert {name for name in names if name not in GUIDE} == set()


def test_commands_of_units_and_containers_exist() -> None:
    from click.testing import CliRunner

    from engage.cli import main

    commands = [match.split() for match in re.findall(r"/bin/engage (.+)$", _units(), re.M)]
    commands += [
        service["command"]
        for service in services().values()
        if service.get("image") == "engage" and "command" in service
    ]
    assert len(commands) >= 8
    for words in commands:
        names = [word.strip("'") for word in words if re.fullmatch(r"[a-z]+", word.strip("'"))][:2]
        options = [word for word in words if word.startswith("--")]
        told = CliRunner().invoke(main, [*names[: 2 if names[0] in ("db", "audit") else 1], "--help"])
        assert told.exit_code == 0, words
        assert all(
            option.replace("--no-", "/ --no-")[-8:] in told.output or option in told.output for option in options
        )


def _units() -> str:
    return "\n".join(path.read_text("utf-8") for path in SYSTEMD.rglob("*") if path.is_file())


def services() -> dict[str, dict[str, Any]]:
    found = loaded(COMPOSE / "compose.yaml")["services"]
    assert isinstance(found, dict)
    return found


def test_the_services_of_compose_use_only_what_is_declared() -> None:
    whole = loaded(COMPOSE / "compose.yaml")
    for name, service in services().items():
        assert set(service.get("networks", [])) <= set(whole["networks"]), name
        assert set(service.get("secrets", [])) <= set(whole["secrets"]), name
        assert set(service.get("depends_on", [])) <= set(services()), name
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in whole["volumes"] or (COMPOSE / source).exists(), f"{name}: {source}"
    assert set(whole["volumes"]) == {
        volume.partition(":")[0]
        for service in services().values()
        for volume in service.get("volumes", [])
        if not volume.startswith(".")
    }


def test_two_machines_share_what_they_must_and_nothing_else() -> None:
    machines = {name: services()[name] for name in ("host-1", "host-2", "worker")}
    folders = {name: dict(each.split(":")[::-1] for each in one["volumes"]) for name, one in machines.items()}
    assert {folder["/srv/engage"] for folder in folders.values()} == {"shared"}
    assert len({folder["/var/lib/engage"] for folder in folders.values()}) == 3
    containerfile = (COMPOSE / "Containerfile").read_text("utf-8")
    assert "ENGAGE_SHARED_DIR=/srv/engage" in containerfile
    assert "ENGAGE_DATA_DIR=/var/lib/engage" in containerfile


def test_images_are_pinned_and_only_the_proxy_is_reached_from_outside() -> None:
    for name, service in services().items():
        assert service["image"] == "engage" or re.search(r":v?\d", service["image"]), name
        ports = service.get("ports", [])
        assert name == "proxy" or all(port.startswith("127.0.0.1:") for port in ports), name


def test_settings_in_the_files_are_settings() -> None:
    named = {f"ENGAGE_{each.name.upper()}" for each in fields(Settings)} | {"ENGAGE_SETTINGS"}
    texts = [path.read_text("utf-8") for path in DEPLOY.rglob("*") if path.is_file()]
    assert {name for text in texts for name in re.findall(r"\bENGAGE_[A-Z_]+\b", text)} <= named
    example = (COMPOSE / "engage.env.example").read_text("utf-8")
    lines = [line for line in example.splitlines() if line and not line.startswith("#")]
    Settings.read(dict(line.split("=", 1) for line in lines))


def test_the_image_has_every_folder_that_the_package_needs() -> None:
    containerfile = (COMPOSE / "Containerfile").read_text("utf-8")
    copied = {word for line in re.findall(r"^COPY (.+) \S+$", containerfile, re.M) for word in line.split()}
    for name in copied:
        assert (ROOT / name).exists(), name
    import tomllib

    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert {*wheel["packages"], *wheel["force-include"], "pyproject.toml", "README.md", "LICENSE"} <= copied


@pytest.mark.parametrize("name", ["proxy/Caddyfile", "compose/Caddyfile"])
def test_caddy_logs_no_request_and_balances_two_machines(name: str) -> None:
    lines = [line.strip() for line in (DEPLOY / name).read_text("utf-8").splitlines() if not line.startswith("#")]
    assert "exclude http.log http.handlers http.stdlib" in lines
    assert [line for line in lines if line.startswith("log")] == ["log default {"], "no access log"
    proxy = next(line for line in lines if line.startswith("reverse_proxy"))
    assert len(proxy.split()[1:-1]) == 2
    assert "health_uri /readyz" in lines
    assert "@internal path /metrics /healthz /readyz" in lines


def test_nginx_logs_no_request_and_balances_two_machines() -> None:
    text = (DEPLOY / "proxy" / "nginx.conf").read_text("utf-8")
    servers = re.findall(r"^server \{(.*?)^\}", text, re.M | re.S)
    assert len(servers) == 2
    for server in servers:
        assert "access_log off;" in server
        assert "error_log /dev/null emerg;" in server
    assert len(re.findall(r"^    server \S+:8000 ", text, re.M)) == 2
    for address in ("/metrics", "/healthz", "/readyz"):
        assert f"location = {address} {{ return 404; }}" in text
    assert text.count("{") == text.count("}")


def test_both_proxy_files_of_caddy_differ_in_addresses_only() -> None:
    one, other = (
        [line for line in (DEPLOY / name / "Caddyfile").read_text("utf-8").splitlines() if not line.startswith("#")]
        for name in ("proxy", "compose")
    )
    assert [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]] == [
        ("\treverse_proxy 10.0.0.11:8000 10.0.0.12:8000 {", "\treverse_proxy host-1:8000 host-2:8000 {")
    ]


def test_scripts_are_programs_of_sh() -> None:
    scripts = sorted((DEPLOY / "postgresql").iterdir())
    assert [path.name for path in scripts] == ["archive-wal", "base-backup", "restore-to-time"]
    for path in scripts:
        assert path.stat().st_mode & 0o111
        text = path.read_text("utf-8")
        assert text.startswith("#!/bin/sh\n")
        assert "set -eu" in text
        assert path.name in GUIDE


def test_prometheus_asks_both_machines_with_the_token() -> None:
    for path in (DEPLOY / "prometheus" / "prometheus.yml", COMPOSE / "prometheus.yml"):
        whole = loaded(path)
        (job,) = whole["scrape_configs"]
        assert job["job_name"] == "engage"
        assert job["metrics_path"] == "/metrics"
        assert job["authorization"]["type"] == "Bearer"
        assert len(job["static_configs"][0]["targets"]) == 2
        assert whole["rule_files"] == ["engage.rules.yml"]
    steps = [
        int(bucket.rstrip("s")) for bucket in (whole["global"]["scrape_timeout"], whole["global"]["scrape_interval"])
    ]
    assert all(one < other for one, other in pairwise(steps))

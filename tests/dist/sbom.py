"""python sbom.py SBOM CARGO_LOCK: every crate in the SBOM is the one in the lock file."""

import json
import sys
from pathlib import Path

import tomllib

sbom = json.loads(Path(sys.argv[1]).read_text())
lock = tomllib.loads(Path(sys.argv[2]).read_text())
locked = {(it["name"], it["version"]): it.get("checksum") for it in lock["package"]}
crates = [it for it in sbom["components"] if it.get("purl", "").startswith("pkg:cargo/")]
for crate in crates:
    hashes = crate.get("hashes", [{"content": None}])
    assert locked[crate["name"], crate["version"]] == hashes[0]["content"], crate
names = {it["name"] for it in sbom["components"]}
assert {"rusqlite", "sqlite", "rustls", "pyo3"} <= names, names
assert not {"snapbox", "proptest", "syn"} & names, "what only builds or tests it is not in it"
known = {it["bom-ref"] for it in [*sbom["components"], sbom["metadata"]["component"]]}
for dependency in sbom["dependencies"]:
    assert {dependency["ref"], *dependency["dependsOn"]} <= known, dependency

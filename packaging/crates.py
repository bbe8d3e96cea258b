"""The crates that are linked into the program and the Python extension.

    python packaging/crates.py sbom        # as CycloneDX 1.5, in JSON
    python packaging/crates.py licenses    # the texts of their licenses

Both are written to stdout. They depend on Cargo.lock and the crates alone, and on SOURCE_DATE_EPOCH.
"""

import json
import os
import re
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import tomllib

ROOT = Path(__file__).parents[1]
PACKAGES = ["dash-users", "dash-users-python"]
TARGETS = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"]
LICENSE = re.compile(r"(?i)(un)?licen[cs]e|copying|copyright|notice")
# Sources in C that a crate brings: the crate, the name, the file with the version, how it is there,
# and how scanners know it.
BUNDLED = [
    (
        "libsqlite3-sys",
        "sqlite",
        "sqlite3/sqlite3.h",
        r'#define SQLITE_VERSION +"([\d.]+)"',
        {"cpe": "cpe:2.3:a:sqlite:sqlite:{}:*:*:*:*:*:*:*"},
    ),
]


def cargo(*arguments):
    command = ["cargo", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def linked():
    """The names and versions of linked crates. Macros and build scripts only run at build time."""
    targets = [word for target in TARGETS for word in ("--target", target)]
    packages = [word for package in PACKAGES for word in ("--package", package)]
    edges = ["--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"]
    lines = cargo("tree", "--locked", *targets, *packages, *edges).splitlines()
    words = [line.split() for line in lines if line]
    return {(name, version.removeprefix("v")) for name, version, *_ in words}


def crates():
    """What Cargo knows of each linked crate, by its id, in the order of their names."""
    metadata = json.loads(cargo("metadata", "--locked", "--format-version", "1"))
    wanted = linked()
    found = {
        package["id"]: package
        for package in sorted(metadata["packages"], key=lambda it: (it["name"], it["version"]))
        if (package["name"], package["version"]) in wanted
    }
    assert len(found) == len(wanted), wanted
    for node in metadata["resolve"]["nodes"]:
        if node["id"] in found:
            normal = [
                dependency["pkg"]
                for dependency in node["deps"]
                if any(kind["kind"] is None for kind in dependency["dep_kinds"])
            ]
            found[node["id"]]["linked"] = sorted(id for id in normal if id in found)
    return found


def reference(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package, checksums):
    described = {
        "type": "library",
        "bom-ref": reference(package),
        "name": package["name"],
        "version": package["version"],
        "licenses": [{"expression": package["license"].replace("/", " OR ")}],
        "purl": reference(package),
    }
    checksum = checksums.get((package["name"], package["version"]))
    if checksum:
        described["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    return described


def bundled(package):
    """What a crate brings in C."""
    for crate, name, header, pattern, known in BUNDLED:
        if package["name"] == crate:
            text = (Path(package["manifest_path"]).parent / header).read_text()
            version = re.search(pattern, text)[1]
            known = {key: value.format(version) for key, value in known.items()}
            part = {"type": "library", "bom-ref": f"{name}@{version}", "name": name}
            yield part | {"version": version} | known


def sbom():
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    checksums = {(it["name"], it["version"]): it.get("checksum") for it in lock["package"]}
    found = crates()
    components, dependencies, main = [], [], None
    for package in found.values():
        described = component(package, checksums)
        parts = list(bundled(package))
        if package["name"] == PACKAGES[0]:
            main = described | {"type": "application"}
        else:
            components.append(described)
        components += parts
        needed = [reference(found[id]) for id in package["linked"]]
        needed += [part["bom-ref"] for part in parts]
        dependencies.append({"ref": reference(package), "dependsOn": needed})
    time = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), timezone.utc)
    metadata = {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ"), "component": main}
    # Its standard library is linked, too.
    rustc = subprocess.run(["rustc", "--version"], check=True, capture_output=True, text=True)
    tool = {"type": "application", "name": "rustc", "version": rustc.stdout.split()[1]}
    metadata["tools"] = {"components": [tool]}
    document = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "metadata": metadata}
    document |= {"components": components, "dependencies": dependencies}
    print(json.dumps(document, indent=1))


def licenses():
    texts = {}
    ours = set(PACKAGES) | {"dash-users-romix"}
    print("dash-users contains the following crates.\n")
    for package in crates().values():
        if package["name"] in ours:
            continue
        name = f"{package['name']} {package['version']}"
        print(f"{name}: {package['license']}")
        directory = Path(package["manifest_path"]).parent
        files = [file for file in directory.rglob("*") if LICENSE.match(file.name)]
        assert files, name
        for file in sorted(file for file in files if file.is_file()):
            text = "\n".join(line.rstrip() for line in file.read_text().splitlines())
            where = f"{name}, {file.relative_to(directory)}"
            texts.setdefault(text.strip(), []).append(where)
    for text, names in texts.items():
        print("\n" + "-" * 80, *names, "", text, sep="\n")


if __name__ == "__main__":
    {"sbom": sbom, "licenses": licenses}[sys.argv[1]]()

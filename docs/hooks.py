"""Adds files outside docs/ that pages link to.

On a code host, a page links to `../../SECURITY.md`. The site has the same file as
`project/SECURITY.md`, and this hook rewrites the links.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parent.parent
PROJECT = "project/"
# Pages of the site, and files that are downloaded.
FILES = [
    "SECURITY.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "benches/README.md",
    "examples/app.py",
    "examples/deploy/Dockerfile",
    "examples/deploy/README.md",
    "examples/deploy/compose.yaml",
    "examples/deploy/create-role.sql",
    "examples/deploy/entrypoint.sh",
    "examples/deploy/my-app-nightly.service",
    "examples/deploy/my-app-nightly.timer",
    "examples/deploy/my-app.service",
    "examples/app_login.py",
    "examples/app_lookup.py",
    "examples/log_in.rs",
]
# The target of a link or picture, without its anchor.
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#|/)([^)#\s]+)")


def on_files(files, config):
    for path in FILES:
        files.append(File.generated(config, PROJECT + path, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown, page, config, files):
    source = page.file.src_uri
    in_checkout = source.removeprefix(PROJECT) if source.startswith(PROJECT) else "docs/" + source

    def rewritten(match):
        target = posixpath.normpath(posixpath.join(posixpath.dirname(in_checkout), match[1]))
        if target == "README.md":
            target = "docs/index.md"
        # A file that is not in FILES stays unknown, and fails the strict build.
        target = target.removeprefix("docs/") if target.startswith("docs/") else PROJECT + target
        return posixpath.relpath(target, posixpath.dirname(source) or ".")

    # The part after the comma is for rustdoc, which compiles the example.
    return LINK.sub(rewritten, markdown).replace("```rust,no_run\n", "```rust\n")

"""python glibc.py VERSION MACHINE PROGRAM...: fails if a program needs a newer glibc, or other libraries."""

import sys

from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

# What glibc itself consists of, before and since 2.34.
LIBRARIES = {
    "libc.so.6",
    "libm.so.6",
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
    "libutil.so.1",
}
MACHINES = {"x86_64": "EM_X86_64", "aarch64": "EM_AARCH64"}


def number(version):
    return tuple(int(part) for part in version.split("."))


oldest, machine, *programs = sys.argv[1:]
for program in programs:
    with open(program, "rb") as file:
        elf = ELFFile(file)
        assert elf["e_machine"] == MACHINES[machine], program
        tags = elf.get_section_by_name(".dynamic").iter_tags("DT_NEEDED")
        needed = {tag.needed for tag in tags}
        others = {name for name in needed - LIBRARIES if not name.startswith("ld-linux")}
        assert not others, (program, others)
        sections = [it for it in elf.iter_sections() if isinstance(it, GNUVerNeedSection)]
        names = [it.name for part in sections for _, all in part.iter_versions() for it in all]
        versions = [name.removeprefix("GLIBC_") for name in names if name.startswith("GLIBC_")]
        newer = [version for version in versions if number(version) > number(oldest)]
        assert not newer, (program, newer)

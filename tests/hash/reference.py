"""Ask one werkzeug what it says about stored password hashes.

The expected values in vectors.jsonl were measured with this script, and the
tests run it again where Python and werkzeug are at hand. Put one werkzeug
release into a directory of its own and choose it with PYTHONPATH:

    pip install --target w31 'werkzeug==3.1.*'
    grep -v '"not run"' vectors.jsonl | PYTHONPATH=w31 python reference.py verdicts

Modes, one line of output for each line of input, written at once:

verdicts  reads {"stored": ..., "password": ...} (other keys are ignored) and
          prints True, False or raises: check_password_hash(stored, password)
hash      reads {"method": ..., "password": ...} and prints, as a JSON string,
          generate_password_hash(password, method)
version   reads nothing and prints the version of werkzeug

It does what it is asked, whatever that costs: leave out the vectors which are
marked "not run", for they take from seconds to many minutes or up to 1 GiB.

Works with werkzeug 2.0 to 3.1 on Python 3.9 or newer.
"""

import json
import sys
import warnings
from importlib.metadata import version

from werkzeug.security import check_password_hash, generate_password_hash


def verdict(stored, password):
    """Return what check_password_hash makes of a stored value, as a word."""
    try:
        return str(check_password_hash(stored, password))
    except Exception:
        return "raises"


def records():
    """Yield the objects of a JSON Lines stream on stdin, which is UTF-8."""
    for line in sys.stdin.buffer:
        yield json.loads(line.decode("utf-8"))


def main(arguments):
    # werkzeug 2.3 warns about the methods which 3.0 removed.
    warnings.simplefilter("ignore")

    if arguments == ["verdicts"]:
        for record in records():
            print(verdict(record["stored"], record["password"]), flush=True)
    elif arguments == ["hash"]:
        for record in records():
            stored = generate_password_hash(record["password"], record["method"])
            print(json.dumps(stored), flush=True)
    elif arguments == ["version"]:
        print(version("werkzeug"))
    else:
        sys.exit("usage: reference.py verdicts|hash|version")


if __name__ == "__main__":
    main(sys.argv[1:])

#!/usr/bin/env python3
"""Compares what PyYAML (YAML 1.1) and ruamel.yaml (YAML 1.2) read with what was written.

The samples come from a test of pyfleet-core:

    PYFLEET_YAML_SAMPLES=/tmp/samples.jsonl cargo test -p pyfleet-core samples_for_other_readers
    python3 tests/tools/yaml_readers.py /tmp/samples.jsonl [--limit N]

Each line is {"text": a YAML document, "value": what it says}. Prints a count for each reader and its
first mismatches; exits with 1 if there are any, with 2 if a reader is not installed.
"""

import argparse
import json
import sys

SHOWN = 5


def pyyaml():
    """PyYAML, in C where it is there. It takes the key `on` for true; nothing else may become a boolean key."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    def restore(value):
        if isinstance(value, dict):
            return {"on" if key is True else key: restore(item) for key, item in value.items()}
        if isinstance(value, list):
            return [restore(item) for item in value]
        return value

    name = f"PyYAML {yaml.__version__} ({loader.__name__})"
    return name, lambda text: restore(yaml.load(text, Loader=loader))


def ruamel():
    """ruamel.yaml in pure Python, which reads YAML 1.2."""
    import ruamel.yaml

    return f"ruamel.yaml {ruamel.yaml.__version__}", lambda text: ruamel.yaml.YAML(typ="safe", pure=True).load(text)


def same(left, right):
    """Equal in value and in kind; 1 and 1.0 are the same number, 1 and True are not."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return left == right
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


def compare(name, read, samples):
    """The number of samples that a reader reads differently; the first ones are printed."""
    mismatches = 0
    for number, sample in enumerate(samples, 1):
        try:
            reading, trouble = read(sample["text"]), None
        except Exception as error:  # any failure to read is a mismatch, whatever the reader raises
            reading, trouble = None, f"{type(error).__name__}: {error}"
        if trouble is None and same(reading, sample["value"]):
            continue
        mismatches += 1
        if mismatches <= SHOWN:
            print(f"{name}, sample {number}:\n{sample['text']}", file=sys.stderr)
            print(f"  read:    {trouble or repr(reading)}\n  written: {sample['value']!r}", file=sys.stderr)
    print(f"{name}: {len(samples)} documents, {mismatches} mismatches")
    return mismatches


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("samples", help="a file of JSON lines")
    parser.add_argument("--limit", type=int, help="read only the first so many samples")
    arguments = parser.parse_args()
    with open(arguments.samples, encoding="utf-8") as file:
        # JSON lines end with a line feed only: str.splitlines would cut at U+2028.
        samples = [json.loads(line) for line in file.read().split("\n") if line][: arguments.limit]
    if not samples:
        sys.exit(f"{arguments.samples} holds no samples")
    mismatches = 0
    missing = False
    for reader in (pyyaml, ruamel):
        try:
            name, read = reader()
        except ImportError as error:
            print(f"{error}: install it to compare", file=sys.stderr)
            missing = True
            continue
        mismatches += compare(name, read, samples)
    return 1 if mismatches else 2 if missing else 0


if __name__ == "__main__":
    sys.exit(main())

"""Writes the JSON beside each template here, as AWS's own transform gives it.

The repository's template.yaml is one of them: template.json holds those of its
resources that the transform makes or changes. Run it after a change:

    make .venv/.installed && .venv/bin/python local/sam/testdata/generate.py
"""

import json
import os
from pathlib import Path

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
HERE = Path(__file__).parent


class NoManagedPolicies:
    """Stands in for the list of managed policies that AWS IAM would answer."""

    def load(self):
        return {}


def plain(path):
    source = yaml_parse(path.read_text())
    for name, resource in source["Resources"].items():
        code = resource.get("Properties", {}).get("CodeUri")
        if isinstance(code, str) and not code.startswith("s3://"):
            # What sam package writes.
            resource["Properties"]["CodeUri"] = {"Bucket": "artifacts", "Key": name}
    return transform(source, {}, NoManagedPolicies())


def write(path, document):
    path.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")


for template in HERE.glob("*.yaml"):
    write(template.with_suffix(".json"), plain(template))

repository = HERE.parents[2] / "template.yaml"
before = yaml_parse(repository.read_text())["Resources"]
after = plain(repository)["Resources"]
write(HERE / "template.json", {name: made for name, made in after.items() if made != before.get(name)})

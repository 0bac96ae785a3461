"""Checks documents against the schemas of Kubernetes and of custom resources. A kind without a schema is a failure, but
for custom resources as long as no folder of their definitions is given: then they are named and not checked."""

from pathlib import Path

import jsonschema
import kubernetes_validate
import yaml

from manifests import where

# Of what the project is tried with, the oldest: lifecycle.preStop.sleep needs it.
KUBERNETES_VERSION = "1.30"


def problems(manifests, folder):
    """Returns what does not fit its schema, and the kinds that nothing is known of."""
    custom = {} if folder is None else definitions(Path(folder))
    found, unknown = [], set()
    for document in manifests:
        key = (document["apiVersion"], document["kind"])
        if key in custom:
            found += against(document, custom[key])
        elif is_custom(document["apiVersion"]):
            unknown.add(key)
        else:
            found += native(document)
    if folder is not None:
        found += [("/".join(key), f"no definition of it in {folder}") for key in sorted(unknown)]
        unknown = set()
    return found, unknown


def is_custom(version):
    """Says whether an API is not Kubernetes' own: those have no dot, or end in k8s.io."""
    group = version.rpartition("/")[0]
    return "." in group and not group.endswith(".k8s.io")


def native(document):
    try:
        kubernetes_validate.validate(document, KUBERNETES_VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [(where(document), f"{'.'.join(str(part) for part in error.path)}: {error.message}")]
    except kubernetes_validate.SchemaNotFoundError:
        return [(where(document), f"Kubernetes {KUBERNETES_VERSION} has no {document['apiVersion']} {document['kind']}")]
    return []


def against(document, schema):
    validator = jsonschema.Draft7Validator(schema)
    return [
        (where(document), f"{'.'.join(str(part) for part in error.absolute_path)}: {error.message}")
        for error in validator.iter_errors(document)
    ]


def definitions(folder):
    """Returns the schemas of the definitions in a folder, by version and kind."""
    found = {}
    for file in sorted(folder.glob("*.yaml")):
        for definition in yaml.load_all(file.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            for version in definition["spec"]["versions"]:
                schema = strict(version["schema"]["openAPIV3Schema"])
                schema["properties"]["metadata"] = {"type": "object"}
                found[f"{definition['spec']['group']}/{version['name']}", definition["spec"]["names"]["kind"]] = schema
    if not found:
        raise SystemExit(f"{folder} has no definitions of custom resources")
    return found


def strict(schema):
    """Refuses properties that are not named, as the server's field validation does."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    made = {key: strict(part) for key, part in schema.items()}
    is_open = "additionalProperties" in schema or schema.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object" and not is_open:
        made["additionalProperties"] = False
    return made

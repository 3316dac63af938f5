"""The JSON Schema of a suite's file, for editors: every key with its type, default and description.

The schema is made from the models that read the file. An editor that knows it offers the keys and the names of arms,
controls and metrics, and marks a wrong one. `ratf plan` checks more than a schema can say.
"""

from typing import Any

from ratf.suite.arms import ARMS, CONTROLS
from ratf.suite.metrics import METRICS
from ratf.suite.own import WAYS, OwnArm
from ratf.suite.parts import SuitePart
from ratf.suite.rubric import Rubric, metric_names, shipped
from ratf.suite.suite import Suite
from ratf.sweep.sweep import Crossing

MADE_BY_READING = ("rubrics", "rubric_files", "own", "own_metrics", "sha256")
"""Keys that are filled in while a suite is read, and are never written by hand."""


def suite_schema() -> dict[str, Any]:
    """The JSON Schema of a suite's file, for one person or with a list of `people`, with or without a `matrix`."""
    one, many, own = (_model(model) for model in (Suite, Crossing, OwnArm))
    keys = one["properties"]
    several = many["properties"]
    metric = _metric()
    for shared in ("people", "impostors"):
        keys[shared] = _either(keys[shared], several.pop(shared))
    keys |= {name: value for name, value in several.items() if name not in keys}
    keys["arms"]["items"] = {"anyOf": [{"enum": list(ARMS)}, {"$ref": "#/$defs/OwnArm"}]}
    keys["controls"]["items"] = {"enum": [*CONTROLS, True]}
    keys["metrics"]["items"] = metric
    definitions = {**many.pop("$defs", {}), **own.pop("$defs", {}), **one.pop("$defs"), "OwnArm": own}
    for made in ("Rubric", "OwnMetric"):
        definitions.pop(made, None)
    own["oneOf"] = [{"required": [way]} for way in WAYS]
    primary = definitions["Primary"]["properties"]
    primary["metric"] = _either({"const": "both"}, metric) | _told(primary["metric"])
    primary["second"] = _either(metric, {"type": "null"}) | _told(primary["second"])
    list_of_people = {"required": ["people"], "properties": {"people": {"type": "array"}}}
    return {
        "title": "A suite of RATF",
        "description": "Everything that defines a run, except the data.",
        "type": "object",
        "additionalProperties": False,
        "required": ["name"],
        "if": list_of_people,
        "else": {"required": ["person", "impostors"]},
        "properties": keys,
        "$defs": definitions,
    }


def judge_schema() -> dict[str, Any]:
    """The JSON Schema of a judge's file."""
    return {**_model(Rubric), "title": "A judge of RATF"}


def _model(model: type[SuitePart] | type[Rubric]) -> dict[str, Any]:
    """The schema of a model without titles, and without the keys that nobody writes."""
    made: dict[str, Any] = _untitled(model.model_json_schema())
    for part in (made, *made.get("$defs", {}).values()):
        for key in MADE_BY_READING:
            part.get("properties", {}).pop(key, None)
    return made


def _untitled(schema: Any) -> Any:
    """A schema without the titles that pydantic makes of the keys' names, which editors would repeat."""
    if isinstance(schema, list):
        return [_untitled(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {k: _untitled(v) for k, v in schema.items() if k != "title" or not isinstance(v, str)}


def _metric() -> dict[str, Any]:
    """A metric's name. Those of one's own, from a file or a package, are not known here; any such name will do."""
    judges = metric_names(shipped())
    names = [*METRICS, *judges, *(name for metrics in judges.values() for name in metrics)]
    return {"type": "string", "anyOf": [{"enum": list(dict.fromkeys(names))}, {"pattern": r"^judge_|[./]"}]}


def _either(*schemas: dict[str, Any]) -> dict[str, Any]:
    """A value that has one of several forms, with the description and the default of the first that has one."""
    told: dict[str, Any] = {}
    forms: list[Any] = []
    for schema in schemas:
        told = _told(schema) | told
        rest = {k: v for k, v in schema.items() if k not in _TOLD}
        forms += rest["anyOf"] if rest.keys() == {"anyOf"} else [rest]
    return {"anyOf": forms, **told}


_TOLD = ("description", "default")


def _told(schema: dict[str, Any]) -> dict[str, Any]:
    return {k: schema[k] for k in _TOLD if k in schema}

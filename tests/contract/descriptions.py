"""The official descriptions as judge: every answer that a client gets is held against them,
additions included.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
from jsonschema import Draft202012Validator, ValidationError

from tunedrop.emulator.openai.additions import ADDITIONS, API_VERSION, V1

FOLDER = Path(__file__).parents[2].parent / "shared" / "openapi"

type Doc = dict[str, Any]


def load(name: str) -> Doc:
    """A description beside the repository; without it the test is skipped, and says so."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"The official descriptions are not there: {path} is missing.")
    return json.loads(path.read_text(encoding="utf-8"), object_hook=_of_today)


def _of_today(schema: Doc) -> Doc:
    """Two keywords that OpenAPI 3.0 wrote otherwise than JSON Schema does today."""
    if schema.get("exclusiveMinimum") is True:
        schema["exclusiveMinimum"] = schema.pop("minimum")
    if schema.pop("nullable", False) is True and "type" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return schema


def _closed(schemas: Doc, surface: str) -> Doc:
    """Schemas that refuse properties they do not name, with the additions of a surface."""
    for name, schema in schemas.items():
        if "properties" in schema and name not in ("ErrorResponse", "Metadata", "FineTuneMethod"):
            schema["additionalProperties"] = False
    for addition in ADDITIONS:
        if addition.surface != surface:
            continue
        name, _, inner = addition.schema.partition("/")
        schema = schemas[name]["properties"][inner]["items"] if inner else schemas[name]
        former = schema["properties"].get(addition.name)
        schema["properties"][addition.name] = (
            {"anyOf": [former, addition.allows]} if former else addition.allows
        )
    return schemas


class Judge:
    """Checks answers as they pass; what is wrong is kept, since a client would swallow an exception
    of its hook.
    """

    def __init__(self) -> None:
        openai = load("openai-structure.json")
        self._v1_paths = cast("Doc", openai["paths"])
        self._v1 = {"components": {"schemas": _closed(openai["components"]["schemas"], V1)}}
        azure = load("azure-openai-2024-10-21.json")
        self._azure_operations = cast("Doc", azure["operations"])
        self._azure = {"$defs": _closed(azure["$defs"], API_VERSION)}
        self.wrong: list[str] = []
        self._validators: dict[str, Draft202012Validator] = {}

    def hook(self, response: httpx2.Response) -> None:
        """Check one answer."""
        response.read()
        path = response.request.url.path
        if path.startswith("/openai/v1/"):
            reference = self._v1_reference(
                response.request.method, path.removeprefix("/openai/v1"), response
            )
            root = self._v1
        else:
            reference = self._azure_reference(
                response.request.method, path.removeprefix("/openai"), response
            )
            root = self._azure
        if reference is None:
            return
        try:
            answer = response.json()
        except ValueError:
            self.wrong.append(f"{response.request.method} {path} {response.status_code} is no JSON")
            return
        if reference not in self._validators:
            self._validators[reference] = Draft202012Validator({"$ref": reference, **root})
        errors: Iterable[ValidationError] = self._validators[reference].iter_errors(answer)  # pyright: ignore[reportUnknownMemberType]
        for error in errors:
            where = "/".join(str(part) for part in error.absolute_path)
            self.wrong.append(
                f"{response.request.method} {path} {response.status_code} at {where}: "
                f"{error.message[:300]}"
            )

    def _v1_reference(self, method: str, path: str, response: httpx2.Response) -> str | None:
        template = _template(path, list(self._v1_paths))
        if response.status_code >= 400:
            return "#/components/schemas/ErrorResponse" if template else None
        if template is None or "json" not in response.headers.get("content-type", ""):
            return None
        answers = self._v1_paths[template][method.lower()]["responses"]["200"]["content"]
        return answers["application/json"]["schema"]["$ref"]

    def _azure_reference(self, method: str, path: str, response: httpx2.Response) -> str | None:
        templates = [
            name.split(" ", 1)[1] for name in self._azure_operations if name.startswith(method)
        ]
        template = _template(path, templates)
        if template is None:
            return None
        operation = self._azure_operations[f"{method} {template}"]
        name = (
            operation["default"]
            if response.status_code >= 400
            else operation[str(response.status_code)]
        )
        for header in operation.get("headers", []):
            if response.status_code < 400 and header not in response.headers:
                self.wrong.append(f"{method} {path} lacks the header {header}")
        return f"#/$defs/{name}" if name != "bytes" else None


def _template(path: str, templates: list[str]) -> str | None:
    return next(
        (
            template
            for template in templates
            if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path)
        ),
        None,
    )

"""JSON Schemas of the exchange formats, made from the models. The copies under docs/ are proved fresh by a test."""

import json
from typing import Any

from pydantic import BaseModel

from dispatch.model.day import Day
from dispatch.model.plans import Plan


def schema_text(noun: str) -> str:
    """JSON Schema 2020-12 of `day` or `plan`, as it stands in docs/."""
    models: dict[str, type[BaseModel]] = {"day": Day, "plan": Plan}
    schema: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema", **models[noun].model_json_schema()}
    return json.dumps(schema, indent=1, ensure_ascii=False, sort_keys=True) + "\n"

"""What a delivery says: the envelope around a noun's REST body, kept under 20 kB."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

# With the envelope, under the 20 kB that receivers are promised (Standard Webhooks, "payload size").
LARGEST: Final = 19_000


def fitted(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload, or a shortened copy: the longest lists lose their ends, then the longest texts, until it fits.

    What was shortened is named under `truncated`, so that a receiver knows to fetch the rest.
    """
    data, cut = dict(payload), set[str]()
    while len(orjson.dumps(data)) > LARGEST:
        name = max((key for key in data if key != "truncated"), key=lambda key: len(orjson.dumps(data[key])))
        data[name] = _halved(data[name])
        cut.add(name)
        data["truncated"] = sorted(cut)
    return data


def _halved(value: Any) -> Any:
    if isinstance(value, list | str):
        return value[: len(value) // 2]
    if isinstance(value, dict):
        return dict(list(value.items())[: len(value) // 2])
    return None

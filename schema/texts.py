"""The schemas as partners read them outside GraphQL."""

from functools import lru_cache

from db.bodies.previews import PreviewBody
from schema.build import build_schema, open_previews
from schema.stages import SCOPE


class SchemaTexts:
    """SDL by set of previews, printed once, and the previews themselves; what `resolvers.schemas` asks for."""

    def sdl(self, previews: frozenset[str]) -> bytes:
        """The SDL, with a line's end at its end."""
        return _printed(previews)

    def previews(self) -> list[PreviewBody]:
        """By name."""
        return [
            PreviewBody(
                name=name, scope=SCOPE + name, until=found.mark.until, about=found.mark.about, owner=found.mark.owner,
                opens=list(found.opens),
            )
            for name, found in open_previews().items()
        ]  # fmt: skip


@lru_cache(maxsize=16)
def _printed(previews: frozenset[str]) -> bytes:
    return f"{build_schema(previews).as_str()}\n".encode()

"""How two expressions compare."""

from __future__ import annotations

from enum import Enum

__all__ = ["Relation"]


class Relation(Enum):
    """How two expressions compare."""

    EQ = "="
    LE = "<="
    LT = "<"
    GE = ">="
    GT = ">"

    @property
    def reversed(self) -> Relation:
        """The relation of right to left."""
        return _REVERSED.get(self, self)

    @property
    def is_strict(self) -> bool:
        """Whether it excludes equality."""
        return self in (Relation.LT, Relation.GT)

    @property
    def is_upward(self) -> bool:
        """Whether the right side is the larger one."""
        return self in (Relation.LE, Relation.LT)


_REVERSED = {
    Relation.LE: Relation.GE,
    Relation.LT: Relation.GT,
    Relation.GE: Relation.LE,
    Relation.GT: Relation.LT,
}

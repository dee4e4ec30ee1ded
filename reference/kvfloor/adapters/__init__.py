"""Other people's compressors as caches, so that they can be audited without being rewritten."""

from kvfloor.adapters.layer import LayerCache
from kvfloor.adapters.press import PressCache

__all__ = ["LayerCache", "PressCache"]

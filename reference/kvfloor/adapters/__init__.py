"""Other people's compressors as caches, to be audited as they are, and shapes of their models."""

from kvfloor.adapters.configuration import parts_of, read_configuration
from kvfloor.adapters.layer import LayerCache
from kvfloor.adapters.press import PressCache

__all__ = ["LayerCache", "PressCache", "parts_of", "read_configuration"]

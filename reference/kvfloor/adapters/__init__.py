"""Other people's compressors as caches, to be audited as they are, and shapes of their models."""

from kvfloor.adapters.carrying import CarryingModel, ModelShape
from kvfloor.adapters.carrying_error import carrying_error
from kvfloor.adapters.configuration import parts_of, read_configuration
from kvfloor.adapters.held import Held, held_in
from kvfloor.adapters.latent import LatentModel
from kvfloor.adapters.layer import LayerCache
from kvfloor.adapters.model import ModelCache
from kvfloor.adapters.model_audit import audit_in_model
from kvfloor.adapters.model_drawing import drawing_in_model
from kvfloor.adapters.model_instance import ModelInstance, Sizes
from kvfloor.adapters.model_result import ModelAudit
from kvfloor.adapters.press import PressCache

__all__ = [
    "CarryingModel",
    "Held",
    "LatentModel",
    "LayerCache",
    "ModelAudit",
    "ModelCache",
    "ModelInstance",
    "ModelShape",
    "PressCache",
    "Sizes",
    "audit_in_model",
    "carrying_error",
    "drawing_in_model",
    "held_in",
    "parts_of",
    "read_configuration",
]

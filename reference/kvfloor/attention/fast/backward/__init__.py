"""Fast enclosures of the gradients of tensor attention: centres and proven radii (E5)."""

from kvfloor.attention.fast.backward.chosen import Places, evaluate_gradients_at
from kvfloor.attention.fast.backward.double import evaluate_gradients_double
from kvfloor.attention.fast.backward.logits import evaluate_logit_gradients
from kvfloor.attention.fast.backward.operands import Operands, operands_of
from kvfloor.attention.fast.backward.pairs import Accuracy
from kvfloor.attention.fast.backward.single import evaluate_gradients_single

__all__ = [
    "Accuracy",
    "Operands",
    "Places",
    "evaluate_gradients_at",
    "evaluate_gradients_double",
    "evaluate_gradients_single",
    "evaluate_logit_gradients",
    "operands_of",
]

"""FlashInfer's attention of one sequence; its causal mask is bottom-right."""

from __future__ import annotations

from typing import Any

from flashinfer import single_prefill_with_kv_cache

__all__ = ["prefill"]


def prefill(q: Any, K: Any, V: Any, *, scale: float, mask: Any) -> Any:
    """`single_prefill_with_kv_cache`."""
    given = q.cuda(), K[0].cuda(), V[0].cuda()
    return single_prefill_with_kv_cache(*given, causal=mask == "causal", sm_scale=scale)

"""Check a PyTorch kernel: ``python check_torch_kernel.py`` (needs PyTorch)."""

from torch.nn.functional import scaled_dot_product_attention

from kvfloor.conformance import check


def sdpa(q, K, V, *, scale, mask):
    """PyTorch's attention, order 1, as the kit calls it; its causal mask is top-left."""
    causal = mask == "causal-top-left"
    return scaled_dot_product_attention(q, K[0], V[0], scale=scale, is_causal=causal)


for weights in (None, "bfloat16"):
    report = check(
        sdpa, order=1, dtype="bfloat16", accumulate="float32", weights=weights,
        mask="causal-top-left", returns=("output",), arrays="torch", examples=1,
    )  # fmt: skip
    print(f"weights in {weights or 'float32'}:", "passes" if report.ok else "fails")

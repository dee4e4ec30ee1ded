"""What verdicts and kinds of loss say to whoever wrote the cache, and what they do not."""

from __future__ import annotations

from types import MappingProxyType

__all__ = ["LOSSES", "UNTOLD", "VERDICTS"]

UNTOLD = "of no single kind"

VERDICTS = MappingProxyType(
    {
        "within-guarantee": "every answer that was asked for came back within (η, α); what was not "
        "asked for is not known",
        "refuted": "no cache of so few bits answers all queries within (η, α), whatever it keeps, "
        "and this one was seen to fail; on the inputs of a trained model fewer may do",
        "violates": "its bits would be enough, and it answered a query wrongly all the same: on an "
        "instance made for that, of which a trained model may never ask",
        "undecided": "neither shown wrong nor shown to have bits enough for all queries",
        "misbehaves": "it did what no cache may do, so nothing is known of its answers",
        "error": "the audit itself failed, which says nothing of the cache",
    }
)
"""What each verdict means."""

LOSSES = MappingProxyType(
    {
        "missing token": "evicted, overwritten or never attended to: nothing of it comes back",
        "token counted twice": "in two places at once: its weight is doubled",
        "token too many": "padding, or what a mask should hide, is attended to",
        "merged tokens": "several tokens were put into one: each is answered by their mixture",
        "temperature": "the right tokens with flatter or sharper weights: logits times a number",
        "clipping": "numbers beyond a bound were cut to it: a scale, or a format, that overflowed",
        "scale of values": "values times a number: codes were read by another scale",
        "zero point": "values or keys plus a number: codes were read from another zero",
        "precision of values": "values in too few levels: rounded too coarsely for α",
        "precision of keys": "keys in too few levels: queries cannot tell tokens apart",
        "precision of keys and values": "both in too few levels",
        "wrong order": "values or keys of other tokens or columns: an index, or a layout",
        "wrong signs": "numbers as large as they should be, and of the other sign",
    }
)
"""What each kind of loss means."""

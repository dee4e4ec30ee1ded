"""T5 `collision`: a cache under the floor confuses two instances, and they can be found."""

from __future__ import annotations

import sympy as sp
from hypothesis import strategies as st

from kvfloor.caches import HashedCache, configure
from kvfloor.certificates import canonical, check
from kvfloor.collisions import Collision, birthday, pigeonhole
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Cite,
    Derivation,
    Induction,
    Positivity,
    Relation,
    Statement,
    Step,
    Termwise,
    Variable,
)
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.draws import families
from kvfloor_proofs.foundations.properties import Falsified, Tally, require

__all__ = ["CLAIM", "derivations", "lam"]

i, k, D = sp.symbols("i k D", integer=True)
u, eta, alpha, lam = sp.symbols("u eta alpha lambda", real=True)

LOGARITHM = Statement(Assumptions((Variable(u, 0, low_open=True),)), sp.log(u), Relation.LE, u - 1)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (_no_common_answer(), _birthday())


def _no_common_answer() -> Derivation:
    ranges = (
        Variable(eta, 0, 1, high_open=True),
        Variable(alpha, 0, (1 - eta) / 2, high_open=True),
        Variable(lam, 0, (1 - eta) / 2 - alpha, high_open=True),
    )
    return Derivation(
        "No answer is accurate for an output of at most λ and for one of at least 1 - λ",
        Assumptions(ranges),
        (1 + eta) * lam + alpha,
        (
            Step(
                Relation.LT,
                (1 - eta) * (1 - lam) - alpha,
                Positivity(),
                "The difference is 1 - η - 2α - 2λ, and λ < (1-η)/2 - α.",
            ),
        ),
    )


def _birthday() -> Derivation:
    below = sp.Sum(-i / D, (i, 0, k - 1))
    return Derivation(
        "k instances with independent uniform states among D all differ "
        "with probability at most exp(-k(k-1)/(2D)); here its logarithm",
        Assumptions((Variable(D, 1), Variable(k, 1, D))),
        sp.Sum(sp.log(1 - i / D), (i, 0, k - 1)),
        (
            Step(
                Relation.LE,
                below,
                Termwise(Cite(LOGARITHM, ((u, 1 - i / D),))),
                "ln u <= u - 1 in every factor.",
            ),
            Step(
                Relation.EQ, -k * (k - 1) / (2 * D), Induction(k, Algebra()), "By induction on k."
            ),
        ),
    )


def property_pigeonhole(data: st.DataObject, tally: Tally) -> None:
    """Of any 2^b + 1 instances two collide, and the checker accepts the certificate."""
    family = data.draw(families(most_bits=14, least_bits=2), label="family")
    b = data.draw(st.integers(0, min(family.size - 1, 8)), label="b")
    factory = configure(HashedCache, bits=b, family=family)
    seed = data.draw(st.integers(0, 999), label="seed")
    collision = pigeonhole(factory, family, seed=seed)
    _accept(collision, 2**b + 1, tally)


def property_birthday(data: st.DataObject, tally: Tally) -> None:
    """Random instances collide long before 2^b of them, also where N is far above b."""
    family = data.draw(families(most_bits=64, least_bits=40), label="family")
    b = data.draw(st.integers(0, 10), label="b")
    factory = configure(HashedCache, bits=b, family=family)
    # exp(-k(k-1)/2^(b+1)) is below e^-32 for these: a failure is no accident.
    limit = 2 + 8 * 2 ** -(-b // 2)
    collision = birthday(
        factory, family, search_seed=data.draw(st.integers(0, 999), label="seed"), limit=limit
    )
    _accept(collision, limit, tally)


def _accept(collision: Collision | None, most: int, tally: Tally) -> None:
    if collision is None or collision.evaluations > most:
        raise Falsified(f"no collision among {most} instances")
    outcome = check(canonical(collision.certificate))
    require(outcome.status == "ok", f"the checker says: {outcome.reason}")
    tally.certificates += 1


CLAIM = Claim(
    slug="collision",
    title="a cache of b < N bits has two instances in one state that no answer can serve",
    statement="""\
Of any `2^b + 1` instances of a hard family two end in the same state of a cache of b bits. They
differ in a symbol; the query for it has outputs of at most λ on one and at least 1 - λ on the
other, and as `λ < (1-η)/2 - α` no number is (η, α)-accurate for both. If states were independent
and uniform, k random instances would be free of collisions with probability at most
`exp(-k(k-1)/2^(b+1))`. Each collision found is a certificate that a separate checker accepts.""",
    source="TMT; T5",
    assumptions=("the cache is deterministic, given its public coins", "η + 2α < 1"),
    verdict="holds",
    derivations=derivations,
    properties=(property_pigeonhole, property_birthday),
)

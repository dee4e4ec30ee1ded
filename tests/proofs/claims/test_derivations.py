"""Every derivation checks; altered anywhere, it is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import pytest
import sympy as sp

from kvfloor_proofs.calculus import (
    Algebra,
    Derivation,
    DerivationError,
    Induction,
    Positivity,
    Relation,
    Rule,
    Statement,
    Termwise,
    Variable,
    refute,
)
from kvfloor_proofs.calculus.sampling import sample_points
from kvfloor_proofs.claims import (
    best_floor,
    centred_error,
    collision,
    correct_rounding_terminates,
    covering_number,
    decode_threshold,
    entropy_dimension,
    exact_equality,
    exponentials_independent,
    forward_error,
    four_cache,
    given_keys,
    gradient_rounding,
    gradients,
    heads_and_layers,
    identifiability,
    index_deterministic,
    index_randomized,
    key_levels,
    keys,
    latent_heads,
    low_dimension,
    norm_dimension,
    positions,
    quantised_upper_bound,
    random_instance_fails,
    retrievable_information,
    sharp_floor,
    sign_keys,
    sliding_window,
    soft_cap,
    softmax_concentration,
    subgen,
    subgen_four_cache,
    subgen_two_cache,
    time_memory,
    two_cache,
    value_floor,
    value_levels,
)

EQ, LE, LT, GE, GT = Relation.EQ, Relation.LE, Relation.LT, Relation.GE, Relation.GT
CHAINS = {
    module.__name__.rpartition(".")[2]: module.derivations()
    for module in (
        softmax_concentration,
        decode_threshold,
        index_deterministic,
        index_randomized,
        keys,
        sign_keys,
        four_cache,
        low_dimension,
        collision,
        sliding_window,
        norm_dimension,
        value_floor,
        sharp_floor,
        quantised_upper_bound,
        identifiability,
        entropy_dimension,
        retrievable_information,
        value_levels,
        key_levels,
        best_floor,
        given_keys,
        heads_and_layers,
        latent_heads,
        positions,
        soft_cap,
        two_cache,
        time_memory,
        collision,
        random_instance_fails,
        covering_number,
        subgen,
        subgen_two_cache,
        subgen_four_cache,
        exponentials_independent,
        exact_equality,
        correct_rounding_terminates,
        forward_error,
        centred_error,
        gradients,
        gradient_rounding,
    )
}
DERIVATIONS = [
    pytest.param(derivation, id=f"{name}-{number}")
    for name, derivations in CHAINS.items()
    for number, derivation in enumerate(derivations)
]


@pytest.mark.parametrize("derivation", DERIVATIONS)
@pytest.mark.parametrize("seed", [0, 1])
def test_derivation_checks(derivation: Derivation, seed: int) -> None:
    assert derivation.check(seed=seed) == len(derivation.steps)


# --- altered in one place, no derivation checks ----------------------------------------------


@dataclass(frozen=True)
class Alteration:
    """The links of a chain around one alteration, and what would make it harmless."""

    where: str
    links: Derivation
    harmless_if: Statement | None = None


# Alterations that the rules rightly accept: what the altered chain states is true, and stronger.
# In decode_threshold-4 the outer steps drop α and η, so there is room to drop a part of them less.
# In norm_dimension-0 a middle expression may be any between its neighbours, as n^2 <= n^3.
# In sign_keys-1 the last step adds the rest of the moment, and the tail alone would do.
SURVIVORS = {
    ("decode_threshold-4", "start -> -alpha + lambda"),
    ("decode_threshold-4", "start -> lambda*(1 - eta)"),
    ("decode_threshold-4", "step 3 -> alpha - lambda + 1"),
    ("decode_threshold-4", "step 3 -> (1 - lambda)*(eta + 1)"),
    ("norm_dimension-0", "step 2 -> (4*n**2 + 1)*(n**4 + n**3)"),
    ("sign_keys-1", "step 2 -> Sum(exp(t*(2*k - 2*r))*w[k], (k, r, d))"),
    # What is in the hole is minus an entropy, and so proved to be at most 0.
    ("index_randomized-2", "step 1 rule.hole.high"),
    ("index_randomized-2", "step 2 rule.hole.high"),
    ("index_randomized-9", "step 1 rule.hole.high"),
    # True as well: a factor that may be 1 is left out, or a bound that may be negative.
    ("forward_error-0", "start -> -k*u + 1"),
    ("forward_error-3", "start -> (theta + 1)/(phi + 1)"),
    ("forward_error-4", "start -> (theta + 1)/(phi + 1)"),
    ("forward_error-4", "step 4 -> 0"),
    # True as well: f is left out, and -1 is no more than what f - 1 is put between.
    ("gradients-4", "start -> -h - 1/S"),
    ("gradients-5", "start -> h - 1/S"),
    # True as well: a degree of 1 is one that may be, and there is room for a point or two fewer.
    ("gradient_rounding-6", "start -> 3*H/(368934881474191032320*L) + 1/(p - 1)"),
    (
        "gradient_rounding-6",
        "step 3 -> L/(147573952589676412927*L - 1) + 3/368934881474191032320",
    ),
    (
        "gradient_rounding-6",
        "step 3 -> L/(147573952589676412928*L - 2) + 3/368934881474191032320",
    ),
    # What is dropped may be 0.
    ("subgen-16", "step 2 -> Sum(T[j]*p[j], (j, 1, h))/K"),
    # What is cited, or monotone, can be proved again.
    ("index_deterministic-2", "step 1 rule -> Induction(symbol=b, inner=Algebra())"),
    ("random_instance_fails-1", "step 1 rule -> Induction(symbol=b, inner=Algebra())"),
    ("random_instance_fails-1", "step 1 rule.inner -> Induction(symbol=b, inner=Algebra())"),
    ("subgen_four_cache-1", "step 1 rule -> Positivity()"),
    ("subgen_four_cache-2", "step 1 rule -> Positivity()"),
    ("four_cache-14", "step 1 rule -> Positivity()"),
    ("entropy_dimension-6", "step 3 rule -> Positivity()"),
    ("value_floor-12", "step 1 rule -> Positivity()"),
    ("value_levels-10", "step 1 rule -> Positivity()"),
    ("value_levels-11", "step 1 rule -> Positivity()"),
    ("key_levels-9", "step 1 rule -> Positivity()"),
    ("key_levels-10", "step 1 rule -> Positivity()"),
    ("latent_heads-1", "step 1 rule -> Positivity()"),
    ("entropy_dimension-6", "step 3 rule.inner -> Positivity()"),
    # True as well: X <= 0 may be left out or made smaller, and the entropy of δ > 0 is not 0.
    ("index_randomized-11", "step 1 -> N"),
    ("index_randomized-11", "step 3 >"),
    ("random_instance_fails-3", "step 1 -> X/(N**2*log(2))"),
    # True as well: what lies between may be left out.
    ("retrievable_information-2", "step 1 -> log(K)"),
    # True as well: there is room for one cell more, of each or of both.
    ("entropy_dimension-5", "step 4 -> (N_k*alpha/2 + alpha*(N_v - 1)/2)/(N_k*N_v)"),
    ("entropy_dimension-5", "step 4 -> (N_v*alpha/2 + alpha*(N_k - 1)/2)/(N_k*N_v)"),
    ("entropy_dimension-5", "step 4 -> (alpha*(N_k + 1)/2 + alpha*(N_v - 1)/2)/(N_k*N_v)"),
    ("entropy_dimension-5", "step 4 -> (alpha*(N_k - 1)/2 + alpha*(N_v + 1)/2)/(N_k*N_v)"),
    ("entropy_dimension-5", "step 5 <"),
    # True as well: what is added may have either sign, or is more than nothing.
    ("forward_error-9", "start -> -delta*w*(theta_2 + 1) + theta"),
    ("forward_error-9", "start -> delta*(theta_2 + 1) + theta"),
    ("forward_error-9", "start -> delta*theta_2*w + theta"),
    ("forward_error-9", "start -> delta*w + theta"),
    ("forward_error-9", "start -> delta*w*(1 - theta_2) + theta"),
    ("forward_error-9", "start -> delta*w*(theta_2 + 1)"),
    ("forward_error-9", "start -> delta*w*(theta_2 + 1) - theta"),
    ("forward_error-9", "start -> delta*w*(theta_2 - 1) + theta"),
    ("forward_error-9", "start -> theta"),
    ("forward_error-10", "start -> delta/(w*(phi + 2))"),
    ("forward_error-11", "start -> -mu + log(phi + 1)"),
    ("forward_error-11", "start -> log(phi + 1)"),
    ("forward_error-11", "step 3 -> Delta + kappa"),
    ("forward_error-12", "start -> log(1/(phi + 1))"),
    ("forward_error-12", "start -> log(1/(phi + 1)) - 1"),
    ("forward_error-12", "start -> mu + log(1/(phi + 1))"),
    ("forward_error-13", "start -> (1 - r)*(theta + 1) - 1"),
    ("forward_error-13", "start -> (1 - theta)*(r + 1) - 1"),
    ("forward_error-13", "start -> r"),
    ("forward_error-13", "start -> theta"),
    ("forward_error-14", "start -> -(1 - r)*(theta + 1) + 1"),
    ("forward_error-14", "start -> -(1 - theta)*(r + 1) + 1"),
    ("forward_error-14", "start -> -r"),
    ("forward_error-14", "start -> -theta"),
    # w >= 1 is not assumed; what is left out, or negated, may be 0 and lies on both sides of it.
    ("forward_error-16", "start -> -1"),
    ("forward_error-20", "start -> -delta + u*(x + y) + Sum(f[j], (j, 1, R + 1))"),
    ("forward_error-20", "start -> u*(x + y) + Sum(f[j], (j, 1, R + 1))"),
    ("forward_error-22", "start -> (-delta + x*(r + 1))*(theta + 1)"),
    ("forward_error-22", "start -> x*(r + 1)*(theta + 1)"),
    ("forward_error-22", "step 2 -> (theta + 1)*(epsilon + lambda + 1)"),
    ("forward_error-23", "start -> -delta*(theta + 1) + mu"),
    ("forward_error-23", "start -> mu"),
    # The same: errors, deviations and roundings lie on both sides of 0, as 0 does not exceed them.
    ("centred_error-2", "start -> gamma*x + Sum(f[j], (j, 1, R + 1))"),
    ("centred_error-3", "start -> -delta_1"),
    ("centred_error-3", "start -> delta"),
    ("centred_error-3", "start -> delta - 1"),
    (
        "centred_error-7",
        "start -> Sum((-o*phi[j] + theta[j]*v[j])*(epsilon[j] - 1)*p[j], (j, 1, M))",
    ),
    ("centred_error-7", "start -> Sum((-o*phi[j] + theta[j]*v[j])*epsilon[j]*p[j], (j, 1, M))"),
    ("centred_error-7", "start -> Sum((-o*phi[j] + theta[j]*v[j])*p[j], (j, 1, M))"),
    (
        "centred_error-7",
        "start -> Sum((-o*phi[j] - theta[j]*v[j])*(epsilon[j] + 1)*p[j], (j, 1, M))",
    ),
    (
        "centred_error-7",
        "start -> Sum((1 - epsilon[j])*(-o*phi[j] + theta[j]*v[j])*p[j], (j, 1, M))",
    ),
    ("centred_error-7", "start -> Sum((epsilon[j] + 1)*p[j]*theta[j]*v[j], (j, 1, M))"),
    (
        "centred_error-7",
        "start -> Sum((o*phi[j] + theta[j]*v[j])*(epsilon[j] + 1)*p[j], (j, 1, M))",
    ),
    ("centred_error-7", "start -> Sum(-o*(epsilon[j] + 1)*p[j]*phi[j], (j, 1, M))"),
    ("centred_error-8", "start -> l_1 + l_2"),
    ("centred_error-8", "start -> l_1 + theta"),
    ("centred_error-8", "start -> l_2 + theta"),
    ("centred_error-9", "start -> Sum((1 - epsilon[j])*p[j], (j, 1, M))"),
    ("centred_error-9", "start -> Sum(p[j], (j, 1, M))"),
    ("centred_error-10", "start -> (-delta + w)*(phi + 1)"),
    ("centred_error-12", "start -> -o + (1 - r)*(o + x)"),
    ("centred_error-12", "start -> -o + (o - x)*(r + 1)"),
    ("centred_error-12", "start -> o*(r + 1) - o"),
    ("centred_error-12", "start -> x"),
    ("centred_error-13", "step 2 -> E"),
}

# What a relation is strengthened to, or turned round to.
FALSER = {EQ: (LT, GT), LE: (LT, EQ, GE), LT: (EQ, GT), GE: (GT, EQ, LE), GT: (EQ, LT)}
WEAK = {EQ: EQ, LE: LE, LT: LE, GE: GE, GT: GE}


def altered_expressions(expr: Any) -> Iterator[Any]:
    """Change one constant, drop one term or factor, change one sign, move one end of a sum."""
    if expr.is_Rational:
        yield from (expr + 1, expr - 1)
    elif isinstance(expr, sp.Tuple):
        index, first, last = expr
        yield from (sp.Tuple(index, first + by, last) for by in (1, -1))
        yield from (sp.Tuple(index, first, last + by) for by in (1, -1))
    elif not isinstance(expr, sp.Indexed):
        for place, argument in enumerate(expr.args):
            before, after = expr.args[:place], expr.args[place + 1 :]
            if expr.is_Add or expr.is_Mul:
                yield expr.func(*before, *after)
            if expr.is_Add:
                yield expr.func(*before, -argument, *after)
            for altered in altered_expressions(argument):
                yield expr.func(*before, altered, *after)


def altered_rules(rule: Rule, integers: list[Any]) -> Iterator[tuple[str, Rule]]:
    """Put another rule in its place, or alter one of its parts."""
    others: list[Rule] = [Algebra(), Positivity(), Termwise(Algebra()), Termwise(Positivity())]
    for inner in (Algebra(), Positivity()):
        if type(inner) is not type(rule):  # induction proves all that its inner rule proves
            others += [Induction(symbol, inner) for symbol in integers]
    yield from ((f" -> {other}", other) for other in others if type(other) is not type(rule))
    for field in fields(rule):  # type: ignore[arg-type]
        for where, part in altered_parts(getattr(rule, field.name), integers):
            yield f".{field.name}{where}", replace(rule, **{field.name: part})  # type: ignore[type-var]


def altered_parts(part: Any, integers: list[Any]) -> Iterator[tuple[str, Any]]:
    """Alter one part of a rule: an expression, a range, what is cited, or the inner rule."""
    if isinstance(part, sp.Symbol):
        yield " + 1", part + 1
    elif isinstance(part, sp.Basic):
        yield from ((f" -> {altered}", altered) for altered in set(altered_expressions(part)))
    elif isinstance(part, Variable):
        yield ".low", replace(part, low=2)
        yield ".high", replace(part, high=0)
    elif isinstance(part, Derivation):
        *steps, last = part.steps
        false = replace(last, expression=last.expression / 2)
        yield " false", replace(part, steps=(*steps, false))
    elif isinstance(part, Statement):
        yield " false", replace(part, right=part.right - 1)
    elif isinstance(part, tuple):
        for place, (symbol, value) in enumerate(part):
            before, after = part[:place], part[place + 1 :]
            yield f" less {symbol}", (*before, *after)
            for where, altered in altered_parts(value, integers):
                yield where, (*before, (symbol, altered), *after)
    else:
        yield from altered_rules(part, integers)


def named(expressions: Iterator[Any]) -> list[tuple[str, Any]]:
    """Each expression once, behind its text, which is dear, and by which they are sorted."""
    pairs = ((str(expression), expression) for expression in set(expressions))
    return sorted(pairs, key=lambda pair: pair[0])


def alterations(derivation: Derivation) -> Iterator[Alteration]:
    """Alter one place at a time."""
    assumptions, end = derivation.assumptions, len(derivation.steps)
    weak = WEAK[derivation.conclusion.relation]
    integers = [v.symbol for v in assumptions.variables if v.symbol.is_integer]
    first = replace(derivation, steps=derivation.steps[:1])
    for text, altered in named(altered_expressions(derivation.start)):
        weaker = Statement(assumptions, altered, weak, derivation.start)
        yield Alteration(f"start -> {text}", replace(first, start=altered), weaker)
    lefts = (derivation.start, *(step.expression for step in derivation.steps))
    for number, (left, step) in enumerate(zip(lefts, derivation.steps, strict=False), start=1):
        rest = derivation.steps[number : number + 1]
        links = replace(derivation, start=left, steps=(step, *rest))

        def altered_links(links: Derivation = links, **changes: Any) -> Derivation:
            return replace(links, steps=(replace(links.steps[0], **changes), *links.steps[1:]))

        for text, altered in named(altered_expressions(step.expression)):
            kept = weak if number == end else EQ
            weaker = Statement(assumptions, step.expression, kept, altered)
            where = f"step {number} -> {text}"
            yield Alteration(where, altered_links(expression=altered), weaker)
        for relation in FALSER[step.relation]:
            where = f"step {number} {relation.value}"
            yield Alteration(where, altered_links(relation=relation))
        for where, rule in altered_rules(step.rule, integers):
            yield Alteration(f"step {number} rule{where}", altered_links(rule=rule))


# About so many alterations of each derivation are tried by profile, spread over its steps; the
# thorough one tries all (some 40 minutes).
TRIED = {"few": 2, "quick": 4, "ci": 20}


def chosen(derivation: Derivation) -> list[Alteration]:
    everything = list(alterations(derivation))
    tried = TRIED.get(os.environ.get("HYPOTHESIS_PROFILE", "quick"), len(everything))
    return everything[:: -(-len(everything) // tried)]


@pytest.mark.parametrize("derivation", DERIVATIONS)
def test_no_step_shows_one_expression_twice(derivation: Derivation) -> None:
    """SymPy rewrites expressions as they are built: what a step does must be left for it to do."""
    for statement in derivation.statements:
        assert statement.left != statement.right


@pytest.mark.parametrize("derivation", DERIVATIONS)
def test_altered_derivation_is_refused(
    derivation: Derivation, request: pytest.FixtureRequest
) -> None:
    """By the rules alone, except where the alteration leaves a true statement.

    An alteration is harmless if it keeps the value, or weakens the conclusion: a smaller start
    or a larger end of a chain that goes up. Everything else that is accepted is in the table.
    """
    name = request.node.callspec.id
    points = sample_points(derivation.assumptions, 60, seed=2)
    accepted = set()
    tried = chosen(derivation)
    for alteration in tried:
        try:
            alteration.links.check(points=0)
        except DerivationError:
            continue
        assert not any(refute(link, points) for link in alteration.links.statements)
        harmless = alteration.harmless_if
        if harmless is None or refute(harmless, points) is not None:
            accepted.add((name, alteration.where))
    tried_here = {(name, alteration.where) for alteration in tried}
    assert accepted == {key for key in SURVIVORS if key in tried_here}


def test_survivors_are_alterations() -> None:
    """A row of the table that names nothing would excuse nothing."""
    names: dict[Any, Any] = {param.id: param.values[0] for param in DERIVATIONS}
    for name in {name for name, _ in SURVIVORS}:
        excused = {where for of, where in SURVIVORS if of == name}
        assert excused <= {alteration.where for alteration in alterations(names[name])}, name

"""Runs in a box: whether assertions entail a claim, by z3."""

import z3

EFFORT = 10_000_000
"""Steps as z3 counts them (rlimit), so that giving up does not depend on the machine."""


def names(known):
    """{name: sort} of the constants in assertions (SMT-LIB)."""
    seen, found, todo = set(), {}, list(z3.parse_smt2_string(known))
    while todo:
        one = todo.pop()
        if one.get_id() in seen:
            continue
        seen.add(one.get_id())
        if z3.is_app(one) and one.num_args() == 0 and one.decl().kind() == z3.Z3_OP_UNINTERPRETED:
            found[one.decl().name()] = one.sort().name()
        todo += one.children() if not z3.is_quantifier(one) else [one.body()]
    return found


def answer(job):
    """("names", known) -> names(known); ("entails", known, claims, conclusion) -> (result, why).

    The result is "unsat", "sat", "unknown" or "error".
    Every claim is one term. With a conclusion: whether known and claims entail it. Without: whether the claims alone
    entail all that is known. "unsat" means entailed: the opposite cannot be satisfied.
    """
    try:
        if job[0] == "names":
            return names(job[1])
        return _entails(*job[1:])
    except z3.Z3Exception as error:
        text = error.args[0] if error.args else ""
        text = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
        return "error", " ".join(text.split())[:200]


def _entails(known, claims, conclusion):
    assertions = list(z3.parse_smt2_string(known))
    if conclusion is None and not assertions:
        return "unknown", "nothing is asserted"
    terms = []
    for claim in (*claims, *([conclusion] if conclusion is not None else [])):
        parsed = list(z3.parse_smt2_string(f"{known}\n(assert {claim}\n)"))
        if len(parsed) != len(assertions) + 1:
            return "error", "a claim must be one term"
        terms.append(parsed[-1])
    if conclusion is None:
        premises, refuted = terms, z3.And(assertions)
        if _solver(premises).check() == z3.unsat:
            return "sat", "the values contradict one another"
    else:
        premises, refuted = [*assertions, *terms[:-1]], terms[-1]
        if _solver(assertions).check() == z3.unsat:
            return "unknown", "what is known contradicts itself"
    solver = _solver([*premises, z3.Not(refuted)])
    result = solver.check()
    if result == z3.unknown:
        return "unknown", solver.reason_unknown()
    if result == z3.sat:
        return "sat", _counterexample(solver.model(), assertions if conclusion is None else [])
    return "unsat", ""


def _counterexample(model, assertions):
    """The first assertion that is false in the model, else the model."""
    for part in assertions:
        if z3.is_false(model.eval(part, model_completion=True)):
            return " ".join(str(part).split())[:200]
    return " ".join(str(model).split())[:200]


def _solver(assertions):
    solver = z3.Solver()
    solver.set("rlimit", EFFORT)
    for one in assertions:
        solver.add(one)
    return solver

"""Runs in a sandbox: whether what is known entails what is claimed, by z3."""

import z3

EFFORT = 10_000_000
"""z3's own count of steps (rlimit), so that giving up does not depend on the machine."""


def names(job):
    """The constants that what is known speaks of."""
    seen, found, todo = set(), {}, list(z3.parse_smt2_string(job))
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
    """("names", known) -> a dict; ("entails", known, claims, conclusion) -> ("unsat" | "sat" | "unknown" | "error", why).

    Every claim is one term. With a conclusion it is entailed by known and claims; without, all that is known is entailed by the claims alone.
    """
    try:
        if job[0] == "names":
            return names(job[1])
        return _entails(*job[1:])
    except z3.Z3Exception as error:
        text = error.args[0] if error.args else ""
        return "error", " ".join((text.decode(errors="replace") if isinstance(text, bytes) else str(text)).split())[
            :200
        ]


def _entails(known, claims, conclusion):
    told = list(z3.parse_smt2_string(known))
    if conclusion is None and not told:
        return "unknown", "nothing is asserted"
    terms = []
    for claim in (*claims, *([conclusion] if conclusion is not None else [])):
        all_of_it = list(z3.parse_smt2_string(f"{known}\n(assert {claim}\n)"))
        if len(all_of_it) != len(told) + 1:
            return "error", "a claim must be one term"
        terms.append(all_of_it[-1])
    if conclusion is None:
        premises, refuted = terms, z3.And(told)
        solver = _solver()
        solver.add(premises)
        if solver.check() == z3.unsat:
            return "sat", "the values contradict one another"
    else:
        premises, refuted = [*told, *terms[:-1]], terms[-1]
        solver = _solver()
        solver.add(told)
        if solver.check() == z3.unsat:
            return "unknown", "what is known contradicts itself"
    solver = _solver()
    solver.add(premises)
    solver.add(z3.Not(refuted))
    result = solver.check()
    if result == z3.unknown:
        return "unknown", solver.reason_unknown()
    if result == z3.sat:
        for part in told if conclusion is None else []:
            if z3.is_false(solver.model().eval(part, model_completion=True)):
                return "sat", " ".join(str(part).split())[:200]
        return "sat", " ".join(str(solver.model()).split())[:200]
    return "unsat", ""


def _solver():
    solver = z3.Solver()
    solver.set("rlimit", EFFORT)
    return solver

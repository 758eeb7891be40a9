"""What every learner's faults and claims must keep, shared by the tests of each setting."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from proofs_check.kill_matrix import Kills, kills_of, learners, markdown, mutants_of, planted
from proofs_check.mutants._generic import FAULTS
from theorylab.claim import Claim, Control
from theorylab.controls import fault_matrix
from theorylab.decide import Levels
from theorylab.learner import Learner
from theorylab.measure import Group
from theorylab.registry import find_learner
from theorylab.track import track

#: what only the claims that repeat a formula of the learner catch: known, and no more than this
COPIES_ONLY: dict[str, set[str]] = {
    "ucb1": {"N + 1 in the width", "horizon for clock", "log factor dropped"},
    "ucb-h": {"value not updated"},
    "ucbvi-ch": {"episodes for steps"},
    "ucbvi-bf": {"eight dropped", "visits same stage"},
    "euler": {
        "B_p without H", "K for T", "bonus of n + 1", "delta not divided", "lower value of its own best action",
        "n for n - 1", "phi of V_up in the lower value",
    },
    "mvp": {"K for T", "bonus of n + 1", "c2 halved", "c3 lowered to 28/3", "delta not divided"},
    "ucrl-vtr": {"delta left out", "delta not divided", "episodes for samples"},
    "gosprl-explore": {"S for Gh", "epsilon in both logarithms"},
    "gosprl-diameter": {"no factor", "factor 1 + eta |v|", "delta left out"},
    "gosprl-sparse": {"division by N + 1", "rows stale", "variance outside the root"},
    "zero-one-ucrl": {
        "log factor dropped", "delta left out", "variance outside the root", "horizon in the logarithm",
        "visits plus one", "negative lower ends", "boxes of the first episode",
    },
    "max-ent": {
        "log factor dropped", "delta left out", "variance outside the root", "length in the logarithm",
        "visits plus one", "upper ends above 1", "unvisited pairs stay", "noise without allowance",
        "variance for noise",
    },
    "loop-models": {"log factor dropped", "class not in the logarithm", "beta without B^2"},
    "mle-loop": {"log factor dropped", "class not in the logarithm", "factor 3 dropped"},
    **{key: {"logarithms dropped", "one table", "beta without B^2"} for key in ("loop", "loop-ascent", "loop-box")},
    "loop-values": {"logarithm dropped", "class not in the logarithm", "beta without B^2"},
    "scal": {
        "log factor dropped", "delta left out", "time in the logarithm", "variance of the reward", "variance left out",
    },
    "pmevi-dt": {
        "log factor dropped", "delta left out", "time in the logarithm", "variance of the reward", "variance left out",
        "no width of the bias", "log factor of the bias dropped", "delta of the bias left out",
        "range of the rewards alone", "regret left out", "variance of the span",
    },
    "mdp-oomd": {"blocks mixed", "natural logarithm", "spacing ignored", "visit at B - N used", "weight of pi'"},
    "politex": {
        "eta left out", "gain left out of Q", "last estimate alone", "sum for mean", "v of the own state",
    },
    "loop-evi": {"delta left out"},
    "lscvi-ucb": {"T left out", "delta left out", "log factor dropped"},
    "olsvi-fh": {"another length"},
    "ucb-cvi": {"N + 1", "T left out", "beta/N", "delta left out", "log factor dropped"},
    "ucrl2b": {
        "log factor dropped", "delta left out", "time in the logarithm", "variance of the reward", "variance left out",
    },
    "kl-ucrl": {"delta left out", "ln T in place of ln ln T", "log factors dropped", "square root of the radius"},
    "kl-ucb": {"horizon for clock", "one Newton step"},
    "gosprl": {"division by N + 1", "model of the first attempt", "variance outside the root"},
    "gosprl-modest": {
        "G moves on the way", "logarithm not squared", "second term left out", "variances for roots",
    },
    "moss": {"width doubled"},
    "successive-elimination": {
        "arms not divided", "horizon for round", "t + 1 in the width", "width over sqrt(2)",
    },
    "oful": {"determinant, not its logarithm", "horizon in the logarithm"},
    "loop-linear": {"delta dropped", "log factor dropped", "norm of omega dropped", "span to the first power"},
    "fopo": {"d dropped", "delta dropped", "log factor dropped", "sp for 2 + sp"},
    "ucrl2": {
        "N + 1 in the estimates", "delta left out", "horizon for clock", "kernel estimated once", "log factors dropped",
    },
}  # fmt: skip


@cache
def claims_on() -> dict[str, list[Claim]]:
    """Learner -> its claims on runs."""
    return learners()


def names(setting: str) -> list[str]:
    """Learners of a setting that have claims."""
    return [n for n, claims in claims_on().items() if claims[0].setting == setting]


@cache
def kills(name: str) -> Kills:
    return kills_of(name, claims_on()[name])


def check_generic(name: str) -> None:
    table = mutants_of(name).GENERIC
    assert set(table) == set(FAULTS)
    for fault, value in table.items():
        if not isinstance(value, Learner):
            assert value.startswith(("no field: ", "equivalent: ")) and len(value) > 20, (fault, value)
    assert sum(isinstance(v, Learner) for v in table.values()) >= 3


def check_under_a_claim(name: str) -> None:
    under = {id(k.learner) for c in claims_on()[name] for k in c.controls}
    orphans = [k for k, v in planted(name).items() if id(v) not in under]
    assert not orphans, f"planted but under no claim: {orphans}"
    table = {k: v for k, v in mutants_of(name).GENERIC.items() if isinstance(v, Learner)}
    assert all(id(v) in under for v in table.values()), [k for k, v in table.items() if id(v) not in under]


def check_caught(name: str) -> None:
    found = kills(name)
    assert len(found.caught) >= 5
    assert not found.alive, f"{found.alive}\n{markdown(found)}"
    assert not found.named, f"claims that miss a fault they name: {found.named}\n{markdown(found)}"


def check_copies(name: str) -> None:
    assert set(kills(name).by_copies_only) == COPIES_ONLY.get(name, set()), markdown(kills(name))


def check_clean(name: str) -> None:
    """With the faithful learner in place of every fault nothing is caught."""
    claims = []
    for c in claims_on()[name]:
        faithful = find_learner(c.learner, c.setting)
        # a control with an instance of its own may break an assumption there, not the learner
        plain = [k for k in c.controls if k.target == "python" and k.instance is None]
        if plain and c.control_instance is not None:
            claims.append(replace(c, controls=(Control("no fault", faithful, replicates=plain[0].replicates),)))
    assert claims
    matrix = fault_matrix(claims, params={}, levels=Levels(), seed=0)
    caught = {c: row for c, row in matrix.items() if any(hit for hit, _ in row.values())}
    assert not caught, caught


def check_can_fail(name: str) -> None:
    """Every claim names a fault, but for final bounds that are vacuous or open, where half a constant is one."""
    for claim in claims_on()[name]:
        if claim.controls or (claim.cumulative and claim.constants == "unspecified"):
            continue
        assert claim.cumulative, f"{claim.id} names no fault that it must catch"
        for instance in claim.on("quick"):
            model = instance.build()
            spec = find_learner(claim.learner, model.setting)
            group = Group([claim], spec, instance, model, dict(instance.learner), spec)
            assert track(claim, group, "quick").vacuous, f"{claim.id} is below trivial on {model.name}, without a fault"


def check_steps(name: str) -> None:
    known = {c.id for claims in claims_on().values() for c in claims}
    from theorylab.registry import find_claim

    for claim in claims_on()[name]:
        for step in claim.steps:
            assert step in known or find_claim(step), f"{claim.id} lists the step {step}"


CHECKS = (check_generic, check_under_a_claim, check_caught, check_copies, check_clean, check_can_fail, check_steps)

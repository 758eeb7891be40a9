"""Finding content by name: a name maps to a file, and only that file is imported.

`ucb-h` is `learners/ucb_h.py` of `mdps` or `bandits`; `jin2018.optimism` lives in `proofs_check/papers/jin2018.py`,
the game `kuhn` in `mdps/games/kuhn.py`: games are models. The built-in content packages are found with `find_spec`,
so an uninstalled checkout works; other packages register through the entry-point group `theorylab.content`, whose
value is the name of a package with `models/`, `games/`, `learners/` or `papers/` folders. Files that begin with `_`
are shared pieces; any other file must define its spec and fails loudly if it does not. A single file that `theorylab
check` is given may define `learner` and `family` besides its `claims`; `adopt` makes them known in this process, and
`adopt_claims` the claims, for what is said of them: they are checked as objects, and no other process finds them.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from theorylab.errors import InputError, nearest

__all__ = [
    "adopt",
    "adopt_claims",
    "claim_file",
    "claim_of",
    "content_packages",
    "find_claim",
    "find_learner",
    "find_model",
    "home_of",
    "iter_specs",
    "names",
    "papers",
    "specs_of",
]

BUILT_IN = ("mdps", "bandits", "proofs_check")


@cache
def content_packages() -> tuple[str, ...]:
    """Names of the packages that hold content: the built-in three, then those registered by entry points."""
    from importlib.metadata import entry_points

    found = [p for p in BUILT_IN if importlib.util.find_spec(p) is not None]
    found += [e.value for e in sorted(entry_points(group="theorylab.content"), key=lambda e: e.name)]
    return tuple(dict.fromkeys(found))


#: specs of single files by kind: (file, spec)
_ADOPTED: dict[str, list[tuple[str, Any]]] = {"models": [], "learners": []}


def adopt(module: Any, where: str) -> None:
    """Make known the module's `learner` and `family`, each a spec or a tuple of specs, in this process.

    Those that are registered already, being imported from their package, are left as they are; those of an earlier
    load of the same file are forgotten. Raises `InputError` for
    an object of another type, and for a name that another learner of the setting or another family has.
    """
    from theorylab.family import Family
    from theorylab.learner import Learner

    for kind, attribute, of in (("learners", "learner", Learner), ("models", "family", Family)):
        _ADOPTED[kind] = [(file, spec) for file, spec in _ADOPTED[kind] if file != where]
        found = getattr(module, attribute, ())
        for spec in found if isinstance(found, (list, tuple)) else (found,):
            if not isinstance(spec, of):
                raise InputError(f"{where}: '{attribute}' is no {of.__name__}; give it one, or a tuple of them")
            name = spec.name.replace("_", "-")
            known = [s for s in _known(kind, name) if kind == "models" or s.setting == spec.setting]
            if any(s is not spec for s in known):
                raise InputError(f"{where}: the name '{name}' of its {attribute} is taken; give it another name")
            if not known:
                _ADOPTED[kind].append((where, spec))


#: claims of single files by id: (file, claim)
_CLAIMS: dict[str, tuple[str, Any]] = {}


def adopt_claims(claims: Iterable[Any], where: str) -> None:
    """Make known by id the claims of a single file, in this process; of two with one id the later."""
    _CLAIMS.update({c.id: (where, c) for c in claims})


def claim_file(id: str) -> str:
    """The single file that states a claim; "" for one of a package, or of none."""
    return "" if home_of(id.partition(".")[0]) else _CLAIMS.get(id, ("", None))[0]


def claim_of(id: str) -> Any | None:
    """The claim of an id: registered, or of a single file that this process has loaded; None for any other."""
    if home_of(id.partition(".")[0]):
        return next((c for c in find_claim(id.partition(".")[0]) if c.id == id), None)
    return _CLAIMS.get(id, ("", None))[1]


def home_of(paper: str) -> str:
    """The content package that has the claims of a paper; "" for those of a single file."""
    return next(iter(_files("papers").get(paper, ())), "").partition(".")[0]


def _adopted(kind: str, name: str) -> list[Any]:
    return [spec for _, spec in _ADOPTED[kind] if spec.name.replace("_", "-") == name]


def _known(kind: str, name: str) -> list[Any]:
    """Specs that have a name by now."""
    try:
        return specs_of(name) if kind == "learners" else [find_model(name)]
    except InputError:
        return []


#: kinds whose files lie in several folders of a package; those of another kind lie in the folder of its name
FOLDERS = {"models": ("models", "games")}


@cache
def _files(kind: str) -> dict[str, tuple[str, ...]]:
    """Map from spec name to the modules that may define it. `kind`: models, learners or papers."""
    out: dict[str, tuple[str, ...]] = {}
    for package in content_packages():
        spec = importlib.util.find_spec(package)
        for root in (spec.submodule_search_locations or ()) if spec else ():
            for folder in FOLDERS.get(kind, (kind,)):
                for file in sorted((Path(root) / folder).glob("*.py")):
                    if not file.stem.startswith("_"):
                        name = file.stem.replace("_", "-")
                        out[name] = (*out.get(name, ()), f"{package}.{folder}.{file.stem}")
    return out


def names(kind: str) -> list[str]:
    """Names of all specs of a kind ("models", "learners" or "papers"), without importing any."""
    return sorted(_files(kind))


def _load(module: str, attribute: str) -> Any:
    loaded = importlib.import_module(module)
    try:
        return getattr(loaded, attribute)
    except AttributeError:
        raise InputError(
            f"{module} defines no '{attribute}'; give it a module-level spec of that name, "
            "or begin the file's name with '_' if it is a shared piece"
        ) from None


def find_model(name: str) -> Any:
    """The `Family` called `name` (dashes and underscores alike), or a published instance such as "riverswim-osband-6".

    The name of a published instance begins with its family's. Unknown: `InputError` with the nearest names.
    """
    files = _files("models")
    key = name.replace("_", "-")
    if own := _adopted("models", key):
        return own[0]
    if key in files:
        return _load(files[key][0], "family")
    known = list(files)
    for stem in sorted((f for f in files if key.startswith(f + "-")), key=len, reverse=True):
        family = _load(files[stem][0], "family")
        if any(p.name == key for p in family.published):
            return family.instance(key)
        known += [p.name for p in family.published]
    raise InputError(f"unknown model '{name}'{nearest(key, known)}")


#: settings of models that are run as another one
RUN_AS = {"linear-bandit": "bandit", "matrix-game": "game"}


def specs_of(name: str) -> list[Any]:
    """The learners that share a name, one a setting."""
    files = _files("learners")
    key = name.replace("_", "-")
    specs = _adopted("learners", key)
    if key not in files and not specs:
        raise InputError(f"unknown learner '{name}'{nearest(key, files)}")
    for module in files.get(key, ()):
        loaded = _load(module, "learner")
        specs += list(loaded) if isinstance(loaded, tuple) else [loaded]
    return specs


def find_learner(name: str, setting: str | None = None) -> Any:
    """The learner called `name`; where two settings share a name (`uniform`), the one for `setting`."""
    specs = specs_of(name)
    if setting is None:
        return specs[0]
    setting = RUN_AS.get(setting, setting)
    for spec in specs:
        if spec.setting == setting:
            return spec
    have = ", ".join(sorted({s.setting for s in specs}))
    raise InputError(
        f"learner '{name}' is for the setting {have}, the model's is {setting}; choose a learner for {setting} "
        "or change the model's criterion"
    )


def papers() -> list[str]:
    """Citation keys that have claims."""
    return names("papers")


def find_claim(name: str) -> list[Any]:
    """Claims named by an id (`jin2018.optimism`) or by a paper (`jin2018`: all of its claims)."""
    files = _files("papers")
    key, _, rest = name.partition(".")
    if key not in files:
        known = list(files) + ([c.id for k in files for c in find_claim(k)] if rest else [])
        raise InputError(f"unknown claim or paper '{name}'{nearest(name, known)}")
    claims = list(_load(files[key][0], "claims"))
    if not rest:
        return claims
    chosen = [c for c in claims if c.id == name]
    if not chosen:
        raise InputError(f"unknown claim '{name}'{nearest(name, [c.id for c in claims])}")
    return chosen


def iter_specs(kind: str) -> Iterator[Any]:
    """All specs of a kind, imported: for the catalogue, `list` and the conformance suite."""
    attribute = {"models": "family", "learners": "learner", "papers": "claims"}[kind]
    for modules in _files(kind).values():
        for module in modules:
            loaded = _load(module, attribute)
            yield from loaded if isinstance(loaded, (list, tuple)) else [loaded]

"""How the answers hang together: constructs, their reliability, and the paths between them.

The European customer satisfaction index (ECSI; Tenenhaus et al. 2005), or a survey's own constructs and arrows, as a
PLS path model: centroid scheme, mode A (Wold 1982; Monecke & Leisch 2012), items standardised or as they were asked.
It needs the items' correlations and deviations only. Beside it the
classical look at the same correlations: Cronbach's alpha (1951), principal components with Kaiser's rule (1960)
and varimax rotation (1958), the Kaiser-Meyer-Olkin measure (1974) and Bartlett's test of sphericity (1950).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter

import numpy as np
from scipy.stats import chi2

from loyalty.build.estimates.fits import FITTED, Check, Fit, not_fitted, shielded
from loyalty.build.estimates.moments import (
    Interval,
    Moments,
    Sums,
    added,
    cross_validated,
    is_singular,
    jackknifed,
    moments,
)

PATH_MODEL = "survey_path_model"
COMPONENTS = "survey_components"
RELIABILITY = "survey_reliability"
MODELS = (PATH_MODEL, RELIABILITY, COMPONENTS)
LEAST_ANSWERS = 100
LEAST_ANSWERS_AN_ITEM = 5

# (what, of which item or construct, in which construct or component)
Key = tuple[str, str, str]

# An arrow of the path model: which construct explains which.
Path = tuple[str, str]

# The European satisfaction index, as in the seed survey_paths.
PATHS: tuple[Path, ...] = (
    ("image", "expectation"),
    ("expectation", "quality"),
    ("expectation", "value"),
    ("quality", "value"),
    ("image", "satisfaction"),
    ("expectation", "satisfaction"),
    ("quality", "satisfaction"),
    ("value", "satisfaction"),
    ("satisfaction", "complaints"),
    ("image", "loyalty"),
    ("satisfaction", "loyalty"),
    ("complaints", "loyalty"),
)
TOLERANCE = 1e-9
ROUNDS = 300


@dataclass(frozen=True)
class Item:
    """A question: its code, the construct it belongs to, and the ends of its scale."""

    name: str
    construct: str
    scale_min: float
    scale_max: float


@dataclass(frozen=True)
class Design:
    """The path model of a survey: its arrows, and whether items are standardised, so that each has the same spread.
    Where the arrows are the survey's own, every construct that they name must have a question; of the usual ones, those
    without are left out."""

    paths: Sequence[Path] = PATHS
    is_standardised: bool = True
    is_own: bool = False


USUAL = Design()


@dataclass(frozen=True)
class StructureFit:
    """One model of a survey and its figures, with jackknife intervals where they vary by sample."""

    fit: Fit
    figures: Mapping[Key, Interval] = field(default_factory=dict)


@dataclass(frozen=True)
class PathModel:
    """Outer weights (of standardised items) and loadings by item, path coefficients, R2 by construct that is
    explained, the constructs' correlations, and the rounds it took."""

    weights: Mapping[str, float]
    loadings: Mapping[str, float]
    paths: Mapping[tuple[str, str], float]
    r_squared: Mapping[str, float]
    rounds: int
    is_converged: bool


@dataclass(frozen=True)
class Components:
    """Eigenvalues in falling order, how many are above 1 (Kaiser), the rotated loadings of those (items x factors),
    the Kaiser-Meyer-Olkin measure, and Bartlett's chi-square with its degrees of freedom and p-value."""

    eigenvalues: np.ndarray
    kept: int
    loadings: np.ndarray
    kmo: float
    chi_square: float
    degrees: int
    p_value: float


def path_model(
    items: Sequence[str],
    correlation: np.ndarray,
    blocks: Mapping[str, Sequence[str]],
    paths: Sequence[Path] = PATHS,
    deviations: np.ndarray | None = None,
) -> PathModel:
    """PLS from the items' correlations. `blocks` maps a construct to its items; paths of a construct without items,
    or a construct without any path, are left out. Signs: a construct points the way most of its items do.

    With `deviations` the items keep their own units: one that varies more weighs more.
    """
    arrows = [(a, b) for a, b in paths if blocks.get(a) and blocks.get(b)]
    names = list(dict.fromkeys(name for path in arrows for name in path))
    at = {item: i for i, item in enumerate(items)}
    members = np.zeros((len(items), len(names)), dtype=bool)
    for k, name in enumerate(names):
        members[[at[item] for item in blocks[name]], k] = True
    joined = np.zeros((len(names), len(names)), dtype=bool)
    for a, b in arrows:
        joined[names.index(a), names.index(b)] = joined[names.index(b), names.index(a)] = True

    spread = np.ones(len(items)) if deviations is None else deviations
    moments_of_items = correlation * np.outer(spread, spread)
    weights = _scaled(members.astype(float), moments_of_items)
    rounds, moved = 0, np.inf
    while rounds < ROUNDS and moved > TOLERANCE:
        constructs = weights.T @ moments_of_items @ weights
        neighbours = np.where(joined, np.sign(constructs), 0.0)
        newer = _scaled(np.where(members, moments_of_items @ weights @ neighbours, 0.0), moments_of_items)
        moved = float(np.max(np.abs(newer - weights)))
        weights, rounds = newer, rounds + 1
    weights = weights * spread[:, np.newaxis]  # of standardised items again
    loadings = np.where(members, correlation @ weights, 0.0)
    signs = np.where(loadings.sum(axis=0) < 0, -1.0, 1.0)
    weights, loadings = weights * signs, loadings * signs
    constructs = weights.T @ correlation @ weights

    coefficients: dict[tuple[str, str], float] = {}
    explained: dict[str, float] = {}
    for name in names:
        causes = [a for a, b in arrows if b == name]
        if causes:
            chosen = [names.index(cause) for cause in causes]
            effects = constructs[chosen, names.index(name)]
            slopes = np.linalg.solve(constructs[np.ix_(chosen, chosen)], effects)
            coefficients |= {(cause, name): float(slope) for cause, slope in zip(causes, slopes, strict=True)}
            explained[name] = float(slopes @ effects)
    return PathModel(
        {item: float(weights[at[item], k]) for k, name in enumerate(names) for item in blocks[name]},
        {item: float(loadings[at[item], k]) for k, name in enumerate(names) for item in blocks[name]},
        coefficients,
        explained,
        rounds,
        moved <= TOLERANCE,
    )


def construct_index(
    weights: Mapping[str, float],
    means: Mapping[str, float],
    deviations: Mapping[str, float],
    scales: Mapping[str, tuple[float, float]],
) -> float:
    """A construct's mean on 0..100: 100 * sum w_i (mean_i - min_i) / (max_i - min_i) with the weights of the items
    as asked (Fornell et al. 1996)."""
    of_items = index_weights(weights, deviations)
    places = {item: (means[item] - scales[item][0]) / (scales[item][1] - scales[item][0]) for item in weights}
    return 100 * sum(weight * places[item] for item, weight in of_items.items())


def index_weights(weights: Mapping[str, float], deviations: Mapping[str, float]) -> dict[str, float]:
    """The outer weights of a construct's items as asked, standardised weight / standard deviation; their sum is 1."""
    raw = {item: weight / deviations[item] for item, weight in weights.items()}
    total = sum(raw.values())
    return {item: weight / total for item, weight in raw.items()}


def cronbach_alpha(covariance: np.ndarray) -> float | None:
    """k / (k - 1) * (1 - sum of the items' variances / variance of their sum); None for a single item."""
    k = len(covariance)
    total = float(covariance.sum())
    if k < 2 or total <= 0:
        return None
    return k / (k - 1) * (1 - float(np.trace(covariance)) / total)


def components(correlation: np.ndarray, count: int) -> Components:
    """Principal components of a regular correlation matrix of `count` complete answers."""
    size = len(correlation)
    values, vectors = np.linalg.eigh(correlation)
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = max(1, int((values > 1 + 1e-9).sum()))
    loadings = varimax(vectors[:, :kept] * np.sqrt(values[:kept]))
    loadings = loadings * np.where(loadings.sum(axis=0) < 0, -1.0, 1.0)
    inverse = np.linalg.inv(correlation)
    scale = np.sqrt(np.diag(inverse))
    partial = -inverse / np.outer(scale, scale)
    apart = ~np.eye(size, dtype=bool)
    squares, partials = float((correlation[apart] ** 2).sum()), float((partial[apart] ** 2).sum())
    kmo = squares / (squares + partials) if squares + partials > 0 else 0.5
    statistic = -(count - 1 - (2 * size + 5) / 6) * float(np.linalg.slogdet(correlation)[1])
    degrees = size * (size - 1) // 2
    return Components(values, kept, loadings, kmo, statistic, degrees, float(chi2.sf(statistic, degrees)))


def varimax(loadings: np.ndarray) -> np.ndarray:
    """Rotate so that each item loads on few factors: the variance of squared loadings is as large as can be
    (rows scaled to length 1 while rotating, as Kaiser did)."""
    size, factors = loadings.shape
    if factors < 2:
        return loadings
    length = np.sqrt((loadings**2).sum(axis=1, keepdims=True))
    scaled = loadings / np.where(length > 0, length, 1.0)
    rotation, before = np.eye(factors), 0.0
    for _ in range(ROUNDS):
        turned = scaled @ rotation
        u, s, v = np.linalg.svd(scaled.T @ (turned**3 - turned * (turned**2).sum(axis=0) / size))
        rotation = u @ v
        if s.sum() <= before * (1 + TOLERANCE):
            break
        before = float(s.sum())
    return np.asarray(scaled @ rotation * length)


def _scaled(weights: np.ndarray, correlation: np.ndarray) -> np.ndarray:
    """Weights with which every construct has variance 1."""
    variances = np.einsum("ik,ij,jk->k", weights, correlation, weights)
    return np.asarray(weights / np.sqrt(np.maximum(variances, 1e-300)))


@shielded(PATH_MODEL, lambda fit: [StructureFit(replace(fit, model=model)) for model in MODELS])
def fit_structure(
    scope: str, items: Sequence[Item], groups: Sequence[Sums], design: Design = USUAL
) -> list[StructureFit]:
    """Path model, reliability and components of one survey.

    None is fitted below max(100, 5 an item) complete answers, where an item never varies, and where items are
    collinear; the path model also without a path between two constructs, and where a construct of the survey's own
    arrows has no question.
    """
    whole = added(groups)
    needed = max(LEAST_ANSWERS, LEAST_ANSWERS_AN_ITEM * len(items))
    found = moments(whole) if whole.count >= needed else None
    reason = None
    if whole.count < needed:
        reason = f"{whole.count} of the {needed} complete answers needed"
    elif found is None:
        reason = "an item never varies"
    elif len(items) < 2:
        reason = "one item has no structure"
    elif is_singular(found.correlation):
        reason = "the items are collinear (singular)"
    if reason is not None or found is None:
        why = dict.fromkeys(MODELS, reason or "nothing to fit")
        why[PATH_MODEL] = _unfit(items, design) or why[PATH_MODEL]
        return [StructureFit(not_fitted(model, scope, whole.count, why[model])) for model in MODELS]
    return [
        _fit_paths(scope, items, groups, found, design),
        _fit_reliability(scope, items, found),
        _fit_components(scope, found),
    ]


@shielded(PATH_MODEL, StructureFit)
def _fit_paths(
    scope: str, items: Sequence[Item], groups: Sequence[Sums], found: Moments, design: Design
) -> StructureFit:
    """The path model, or none where its arrows cannot be fitted to these items."""
    reason = _unfit(items, design)
    if reason is not None:
        return StructureFit(not_fitted(PATH_MODEL, scope, found.count, reason))
    model = _model(items, found, design)
    if not model.is_converged:
        return StructureFit(not_fitted(PATH_MODEL, scope, found.count, f"no convergence in {ROUNDS} rounds"))

    def figures(sums: Sums) -> dict[Key, float] | None:
        part = moments(sums)
        return None if part is None or len(part.items) != len(items) else _path_figures(items, part, design)

    fit = Fit(
        PATH_MODEL,
        scope,
        FITTED,
        found.count,
        iterations=model.rounds,
        is_converged=True,
        parameters={f"{a} > {b}": value for (a, b), value in model.paths.items()},
        checks=[
            _check(items, groups, name, found.count, r_squared, design) for name, r_squared in model.r_squared.items()
        ],
    )
    return StructureFit(fit, jackknifed(groups, figures) or {})


def _unfit(items: Sequence[Item], design: Design) -> str | None:
    """Why these arrows cannot be fitted to these items, however many people answer; none where they can."""
    constructs, paths = {item.construct for item in items}, design.paths
    lacking = [name for path in paths for name in path if name not in constructs]
    circle = _circle(paths)
    if design.is_own and lacking:
        return f"no question that enough people answered has the construct `{lacking[0]}`, which survey_paths names"
    if circle:
        return f"the arrows of survey_paths go in a circle: {' > '.join(circle)}"
    if not any(a in constructs and b in constructs for a, b in paths):
        return "no two constructs that a path joins were asked"
    return None


def _circle(paths: Sequence[Path]) -> list[str]:
    """Constructs that explain each other in a circle, the first one again at the end; none where there is no circle."""
    causes: dict[str, set[str]] = {}
    for cause, effect in paths:
        causes.setdefault(effect, set()).add(cause)
    try:
        TopologicalSorter(causes).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def _check(
    items: Sequence[Item],
    groups: Sequence[Sums],
    construct: str,
    count: int,
    explained: float,
    design: Design,
) -> Check:
    """R2 of a construct among customers that the model has not seen, beside R2 among those it was fitted to."""

    def paths_to_it(seen: Moments) -> tuple[np.ndarray, np.ndarray]:
        model = _model(items, seen, design)
        of_construct = {
            item.name: (item.construct, model.weights[item.name]) for item in items if item.name in model.weights
        }
        slopes = {cause: slope for (cause, effect), slope in model.paths.items() if effect == construct}

        def weighted(by: Mapping[str, float]) -> np.ndarray:
            parts = (of_construct.get(name, ("", 0.0)) for name in seen.items)
            return np.array([by.get(belongs, 0.0) * weight for belongs, weight in parts])

        return weighted({construct: 1.0}), weighted(slopes)

    return Check("cross-validated R2", construct, "ratio", count, cross_validated(groups, paths_to_it), explained)


def _model(items: Sequence[Item], found: Moments, design: Design) -> PathModel:
    blocks: dict[str, list[str]] = {}
    for item in items:
        blocks.setdefault(item.construct, []).append(item.name)
    deviations = None if design.is_standardised else found.deviations
    return path_model(found.items, found.correlation, blocks, design.paths, deviations)


def _path_figures(items: Sequence[Item], found: Moments, design: Design) -> dict[Key, float]:
    """Weights, loadings, paths, R2 and the constructs' indices 0..100; a path also in points of these indices."""
    model = _model(items, found, design)
    at = {name: i for i, name in enumerate(found.items)}
    known = {item.name: item for item in items if item.name in model.weights}
    figures: dict[Key, float] = {("path", a, b): value for (a, b), value in model.paths.items()}
    figures |= {("r_squared", name, name): value for name, value in model.r_squared.items()}
    for name, item in known.items():
        figures["weight", name, item.construct] = model.weights[name]
        figures["loading", name, item.construct] = model.loadings[name]
    constructs = list(dict.fromkeys(item.construct for item in known.values()))
    for construct in constructs:
        block = [item for item in known.values() if item.construct == construct]
        figures["index", construct, construct] = construct_index(
            {item.name: model.weights[item.name] for item in block},
            {item.name: float(found.means[at[item.name]]) for item in block},
            {item.name: float(found.deviations[at[item.name]]) for item in block},
            {item.name: (item.scale_min, item.scale_max) for item in block},
        )
    spreads = {construct: _index_deviation(construct, list(known.values()), model, found) for construct in constructs}
    points = {("path in points", a, b): value * spreads[b] / spreads[a] for (a, b), value in model.paths.items()}
    return figures | points


def _index_deviation(construct: str, items: Sequence[Item], model: PathModel, found: Moments) -> float:
    """The standard deviation of a construct's index 0..100 over people."""
    block = [item for item in items if item.construct == construct]
    at = [found.items.index(item.name) for item in block]
    deviations = {item.name: float(found.deviations[place]) for item, place in zip(block, at, strict=True)}
    weights = index_weights({item.name: model.weights[item.name] for item in block}, deviations)
    parts = np.array(
        [100 * weights[one.name] * deviations[one.name] / (one.scale_max - one.scale_min) for one in block]
    )
    return float(np.sqrt(parts @ found.correlation[np.ix_(at, at)] @ parts))


@shielded(RELIABILITY, StructureFit)
def _fit_reliability(scope: str, items: Sequence[Item], found: Moments) -> StructureFit:
    """Cronbach's alpha of every construct with at least two items."""
    covariance = found.correlation * np.outer(found.deviations, found.deviations)
    figures: dict[Key, Interval] = {}
    for construct in dict.fromkeys(item.construct for item in items):
        chosen = [found.items.index(item.name) for item in items if item.construct == construct]
        alpha = cronbach_alpha(covariance[np.ix_(chosen, chosen)])
        if alpha is not None:
            figures["alpha", construct, construct] = Interval(alpha, None, None)
    if not figures:
        return StructureFit(not_fitted(RELIABILITY, scope, found.count, "no construct has two items"))
    return StructureFit(Fit(RELIABILITY, scope, FITTED, found.count, is_converged=True), figures)


@shielded(COMPONENTS, StructureFit)
def _fit_components(scope: str, found: Moments) -> StructureFit:
    """Principal components of all items."""
    result = components(found.correlation, found.count)
    plain: dict[Key, float] = {
        ("eigenvalue", f"component {k + 1}", "all items"): float(value) for k, value in enumerate(result.eigenvalues)
    }
    plain |= {
        ("rotated loading", name, f"component {k + 1}"): float(result.loadings[i, k])
        for i, name in enumerate(found.items)
        for k in range(result.kept)
    }
    plain["kept components", "all items", "all items"] = result.kept
    plain["kmo", "all items", "all items"] = result.kmo
    plain["bartlett chi-square", "all items", "all items"] = result.chi_square
    plain["bartlett p-value", "all items", "all items"] = result.p_value
    adequate = Check("sampling adequacy (KMO)", "all", "share", found.count, result.kmo, 1.0)
    fit = Fit(COMPONENTS, scope, FITTED, found.count, is_converged=True, checks=[adequate])
    return StructureFit(fit, {key: Interval(value, None, None) for key, value in plain.items()})

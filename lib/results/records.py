"""Types of the objects in the results JSON, key by key as its schema has them."""

from typing import Literal, NotRequired, TypedDict

from skyaccept.lib.decision.rule import Verdict

Flag = Literal["worse", "changed", "gone", "better", "new", "same", "not_comparable"]
LimitedBy = Literal["stars", "visits", "both"]


class IntervalRecord(TypedDict):
    """Confidence interval of an estimate; an end without a finite value is None."""

    confidence: float
    low: float | None
    high: float | None
    method: str


class DecisionRecord(TypedDict):
    """A `skyaccept.lib.decision.rule.Decision` without its verdict.

    ``growth`` is its ``sample_factor``.
    """

    rule: str
    risk: float | None
    conformance: float | None
    bound: float | None
    growth: float | None
    note: str | None
    reason: str | None
    limited_by: NotRequired[LimitedBy]


class WaiverRecord(TypedDict):
    """Why, by whom and until when a failure is accepted."""

    reason: str
    who: str
    expiry: str


class SampleRecord(TypedDict):
    """Size of a sample and the number of rows rejected for each reason."""

    objects: int
    visits: int
    pairs: int
    measurements: int
    rows_in: int
    rows_used: int
    rejected: dict[str, int]
    cuts: NotRequired[list[str]]
    notes: NotRequired[list[str]]


class LevelRecord(TypedDict):
    """Result at one level."""

    parameters: dict[str, str]
    operator: str
    limit: float
    source: str
    value: float | None
    verdict: Verdict | None
    value_unbiased: float | None
    interval: IntervalRecord | None
    conformance: float | None
    decision: NotRequired[DecisionRecord | None]


class OtherDefinitionRecord(TypedDict):
    """The same clause under a definition that does not decide."""

    levels: dict[str, LevelRecord]
    sample: SampleRecord | None
    reason: NotRequired[str | None]


class GroupRecord(TypedDict):
    """One group of a breakdown; ``departs`` marks an outlier."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    measurements: int
    objects: int
    ratio: float | None
    significance: float | None
    departs: bool


class BreakdownRecord(TypedDict):
    """Errors by group of one key.

    ``judged`` groups were tested, ``departing`` ones are outliers, ``outside`` measurements have no value of the key.
    """

    of: str
    value: float
    confidence: float
    count: int
    judged: int
    departing: int
    worst: str | None
    outside: int
    cells: list[GroupRecord]
    note: str


class HistogramRecord(TypedDict):
    """Number of errors per bin.

    ``above`` lie beyond the last edge, ``of`` is the total.
    """

    errors: str
    unit: str
    edges: list[float]
    counts: list[float]
    above: int
    median: float
    of: int


class ReplicatesRecord(TypedDict):
    """Jackknife replicates: of all, without each block, without each cell."""

    all: list[float]
    visits: list[float]
    stars: list[float]


class BlocksRecord(TypedDict):
    """Identity of the blocks.

    Hash of the names of the visits, and direction of each cell in degrees.
    """

    visits: str
    cells: list[list[float]]


class MagnitudeRecord(TypedDict):
    """Rms by magnitude, with its 68 % range, and the fitted error model."""

    magnitude: list[float]
    rms: list[float]
    low: list[float]
    high: list[float]
    number: list[int]
    model: NotRequired[list[float]]
    floor: NotRequired[float]


class SkyRecord(TypedDict):
    """Median absolute residual on a grid of the sky.

    ``corner`` and ``width`` are in degrees from ``center``.
    """

    center: list[float]
    corner: list[float]
    width: float
    columns: int
    size: list[float | None]
    number: list[int]


class GroupsRecord(TypedDict):
    """Median absolute residual by detector or visit."""

    name: list[str]
    size: list[float | None]
    number: list[int]


class VisitsRecord(GroupsRecord):
    """Median absolute residual by visit, with time and airmass of each."""

    mjd: NotRequired[list[float | None]]
    airmass: NotRequired[list[float | None]]


class DependenceRecord(TypedDict):
    """Trends of residuals: ``of`` says what the residual is."""

    of: str
    note: str
    magnitude: NotRequired[MagnitudeRecord]
    sky: NotRequired[SkyRecord]
    detectors: NotRequired[GroupsRecord]
    visits: NotRequired[VisitsRecord]


class WithoutMotionRecord(TypedDict):
    """Offsets from the reference catalog without proper motions and parallaxes."""

    ra: float
    dec: float
    total: float
    measurements: int


class DataRecord(TypedDict, total=False):
    """Data behind a result, for plots, comparisons and diagnostics."""

    coordinates: dict[str, dict[str, float]]
    without_motion: WithoutMotionRecord
    breakdown: dict[str, BreakdownRecord]
    no_breakdown: str
    histogram: HistogramRecord
    replicates: dict[str, dict[str, ReplicatesRecord]]
    blocks: BlocksRecord | None
    dependence: DependenceRecord
    no_dependence: str


class SelectionRecord(TypedDict):
    """Cases that options selected."""

    options: list[str]
    selected: int
    cases: int


class IncompleteRecord(TypedDict):
    """Cases of a run that ended early."""

    selected: int
    recorded: int
    missing: list[str]
    reason: str


class RunRecord(TypedDict):
    """Provenance of a run."""

    skyaccept: str
    started: str
    seconds: float
    command: str
    python: str
    packages: dict[str, str]
    selection: NotRequired[SelectionRecord]
    incomplete: NotRequired[IncompleteRecord | None]


class ReferenceRecord(TypedDict):
    """A reference catalog; ``moving`` stars have epoch, proper motion and parallax."""

    name: str
    source: str
    sha256: str
    survey: str
    stars: int
    moving: int


class VisitGroupsRecord(TypedDict):
    """Groups of visits that share errors: by night, visit or column, and how many there are."""

    kind: Literal["night", "visit", "column"]
    number: int


class DatasetRecord(TypedDict):
    """The dataset of a run."""

    name: str
    source: str
    sha256: str
    survey: str
    detections: int
    objects: int
    visits: int
    bands: list[str]
    reference: NotRequired[ReferenceRecord | None]
    focal_plane: NotRequired[dict[str, list[float]]]
    visit_groups: NotRequired[VisitGroupsRecord]
    notes: NotRequired[list[str]]


class DefinitionRecord(TypedDict):
    """A definition that results were measured under."""

    title: str
    text: str
    quirks: NotRequired[list[str]]


class UncoveredRecord(TypedDict):
    """A clause of a document that makes no case."""

    requirement: str
    clause: str
    document: str
    text: str
    reason: str


class NoteRecord(TypedDict):
    """A note on a document."""

    document: str
    requirement: str
    text: str
    clause: str


class ChangeRecord(TypedDict):
    """A `skyaccept.lib.results.comparison.Change`."""

    test: str
    unit: str
    before: float | None
    after: float | None
    flag: Flag
    verdicts: list[str | None]
    difference: float | None
    low: float | None
    high: float | None
    paired: bool
    pairing: NotRequired[str | None]
    reason: str | None


class BaselineDatasetRecord(TypedDict):
    """The dataset of a baseline."""

    name: str


class BaselineRecord(TypedDict):
    """A baseline and the change of each clause."""

    source: str
    dataset: BaselineDatasetRecord
    changes: list[ChangeRecord]


def interval_ends(interval: IntervalRecord | None) -> tuple[float | None, float | None]:
    """Return both ends of an interval.

    None for an end without a finite value, or without an interval.
    """
    return (None, None) if interval is None else (interval["low"], interval["high"])

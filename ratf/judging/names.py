"""What a suite may write under `metrics`, and the judges that it thereby needs: parts of `ratf/suite.py`'s checks."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from ratf.judging.rubric import Rubric, metric_names, of_metric, rubrics
from ratf.metrics import METRICS


def _judges(info: ValidationInfo) -> dict[str, Rubric]:
    """The judges that a suite may name: those that come along and those beside its file."""
    return rubrics((info.context or {}).get("folder"))


def _metric_name(name: str, info: ValidationInfo) -> str:
    short = metric_names(_judges(info))
    valid = [*METRICS, *short]
    if name not in valid and not any(name in metrics for metrics in short.values()):
        raise ValueError(f"no metric is called {name!r}; there are: {', '.join(valid)}")
    return name


def _all_criteria(names: list[str], info: ValidationInfo) -> list[str]:
    """Recall never without contradiction: a judge's criteria come together, whichever is named."""
    short = metric_names(_judges(info))
    whole = {metric: metrics for metrics in short.values() for metric in metrics} | short
    return list(dict.fromkeys(m for name in names for m in whole.get(name, [name])))


def _needed(given: Any, info: ValidationInfo) -> dict[str, Rubric]:
    if given:
        raise ValueError("rubrics are not written here; put each into a file in the folder judges/ beside the suite")
    known = _judges(info)
    wanted = (of_metric(m, known)[0] for m in info.data.get("metrics", []) if m.startswith("judge_"))
    return {rubric.name: rubric for rubric in wanted}


MetricName = Annotated[str, AfterValidator(_metric_name)]
AllCriteria = AfterValidator(_all_criteria)
Needed = BeforeValidator(_needed)

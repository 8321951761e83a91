"""What the 1×1 convolutions of a module save, in words: against the naive module (Figure 2a) for the same input."""

from collections.abc import Iterator

from explorer.analysis import NetworkSummary
from explorer.config import BRANCHES
from explorer.views import formatting as fmt
from explorer.views.labels import BRANCH_NAMES


def savings_text(here: NetworkSummary, naive: NetworkSummary, name: str) -> str:
    """Return how many parameters the 1×1 convolutions of a module save, in all and by branch, as Markdown.

    ``naive`` is the same network without the reductions and the projection of that module.
    """
    own, other = here.by_module[name].parameters, naive.by_module[name].parameters
    if here.config.module(name) == naive.config.module(name):
        return f"**{name} is the naive module:** it has no 1×1 that reduces channels."
    if own < other:
        total = f"save {fmt.exact(other - own)} parameters: {fmt.ratio(other / own)}× fewer than the naive module"
    else:
        total = f"save nothing: the module has {fmt.exact(own - other)} parameters more than the naive one"
    return f"**The 1×1s of {name} {total}.** {' · '.join(_branch_texts(here, naive, name))}"


def _branch_texts(here: NetworkSummary, naive: NetworkSummary, name: str) -> Iterator[str]:
    """Yield what each branch saves or costs; a branch without such a 1×1 is left out."""
    for branch in BRANCHES:
        own, other = (
            summary.by_branch[name, branch].parameters if (name, branch) in summary.by_branch else 0
            for summary in (here, naive)
        )
        if own < other:
            yield f"{BRANCH_NAMES[branch]}: {fmt.exact(other - own)} fewer ({fmt.ratio(other / own)}×)"
        elif own > other:
            yield f"{BRANCH_NAMES[branch]}: {fmt.exact(own - other)} more{_projection(here, naive, name, branch)}"


def _projection(here: NetworkSummary, naive: NetworkSummary, name: str, branch: str) -> str:
    """Return what the projection of the pool does for its parameters."""
    if branch != "pool":
        return ""
    channels, all_channels = (
        [row for row in summary.rows if row.module == name and row.branch == branch][-1].out_shape[0]
        for summary in (here, naive)
    )
    return f", and it passes on {channels:,} channels instead of {all_channels:,}"

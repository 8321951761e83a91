"""Trials that ended without a result, because their worker was killed or the study paused, are queued again."""

from contextlib import suppress

import optuna
from optuna.exceptions import OptunaError, UpdateFinishedTrialError
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from explorer.search.samplers import HISTORY, ORIGIN
from explorer.search.store import SURPLUS, origin


def fail_trial(study: optuna.Study, trial: FrozenTrial) -> bool:
    """End a trial without a result; False if it has ended already."""
    try:
        return study._storage.set_trial_state_values(trial._trial_id, state=OptunaState.FAIL)
    except UpdateFinishedTrialError:
        return False


def release_trial(study: optuna.Study, number: int) -> None:
    """End a running trial and put one with the same parameters in the queue."""
    with suppress(OptunaError, StopIteration):
        trial = next(one for one in study.get_trials(deepcopy=False) if one.number == number)
        if trial.state is OptunaState.RUNNING:
            fail_trial(study, trial)
    repeat_failed_trials(study)


def repeat_failed_trials(study: optuna.Study) -> None:
    """Put every trial that ended without a result in the queue again, unless that has been done.

    A worker may be killed between failing a trial and queueing its repetition, so this looks at all of them. Two
    workers may do it at once: then both repetitions have the same origin, and only the first that ends counts.
    """
    trials = study.get_trials(deepcopy=False)
    repeated = {number for trial in trials for number in trial.system_attrs.get(HISTORY, ())}
    ended = {origin(trial) for trial in trials if trial.state.is_finished() and trial.state is not OptunaState.FAIL}
    for trial in trials:
        is_lost = trial.state is OptunaState.FAIL and not {SURPLUS, "error"} & set(trial.user_attrs)
        if is_lost and trial.number not in repeated and origin(trial) not in ended:
            # Killed while it was asked for, a trial has only some of its parameters: the rest would get other draws of
            # the sampler than in an undisturbed study, so all are drawn again.
            is_whole = "worker" in trial.user_attrs
            history = [*trial.system_attrs.get(HISTORY, ()), trial.number]
            study.add_trial(
                optuna.create_trial(
                    state=OptunaState.WAITING,
                    params=trial.params if is_whole else {},
                    distributions=trial.distributions if is_whole else {},
                    system_attrs={**trial.system_attrs, ORIGIN: origin(trial), HISTORY: history},
                )
            )

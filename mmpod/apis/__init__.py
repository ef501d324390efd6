"""What the command lines in `tools/` are made of."""

from .comparison import curves_csv, summary_table
from .figures import plot_accuracy, plot_derivative, plot_gram, plot_sweep
from .grid import Trial, parse_grid, trial_table
from .jobs import run_all
from .launcher import Launcher
from .plans import Plan, plan_run
from .runs import Run
from .session import check_total_batch, host_tool, runner_session

__all__ = [
    'Launcher',
    'Plan',
    'Run',
    'Trial',
    'check_total_batch',
    'curves_csv',
    'host_tool',
    'parse_grid',
    'plan_run',
    'plot_accuracy',
    'plot_derivative',
    'plot_gram',
    'plot_sweep',
    'run_all',
    'runner_session',
    'summary_table',
    'trial_table',
]

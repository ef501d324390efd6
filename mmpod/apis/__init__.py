"""What the command lines in `tools/` are made of."""

from .comparison import curves_csv, summary_table
from .figures import plot_accuracy, plot_derivative, plot_gram, plot_sweep
from .jobs import Plan, plan_run, run_all
from .launcher import Launcher
from .runs import Run
from .session import check_total_batch, host_tool, runner_session

__all__ = [
    'Launcher',
    'Plan',
    'Run',
    'check_total_batch',
    'curves_csv',
    'host_tool',
    'plan_run',
    'plot_accuracy',
    'plot_derivative',
    'plot_gram',
    'plot_sweep',
    'run_all',
    'runner_session',
    'summary_table',
]

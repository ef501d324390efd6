"""What the command lines in `tools/` are made of."""

from .comparison import curves_csv, geometry_table, summary_table
from .errors import checkpoint_errors, errors_as_exit
from .figures import plot_accuracy, plot_derivative, plot_gram, plot_sweep
from .geometry import METHODS, Features, collect_features, draw_geometry, require_method
from .geometry_figures import plot_cosines, plot_embedding, plot_geometry
from .grid import Trial, parse_grid, trial_table
from .jobs import run_all
from .launcher import Launcher
from .plans import Plan, finished_before, made_otherwise, plan_run
from .runs import Run
from .session import check_total_batch, host_tool, leave, runner_session

__all__ = [
    'Features',
    'Launcher',
    'METHODS',
    'Plan',
    'Run',
    'Trial',
    'check_total_batch',
    'checkpoint_errors',
    'collect_features',
    'curves_csv',
    'draw_geometry',
    'errors_as_exit',
    'finished_before',
    'geometry_table',
    'host_tool',
    'leave',
    'made_otherwise',
    'parse_grid',
    'plan_run',
    'plot_accuracy',
    'plot_cosines',
    'plot_derivative',
    'plot_embedding',
    'plot_geometry',
    'plot_gram',
    'plot_sweep',
    'require_method',
    'run_all',
    'runner_session',
    'summary_table',
    'trial_table',
]

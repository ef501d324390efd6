"""What the command lines in `tools/` are made of."""

from .comparison import Run, plot_accuracy, summary_table
from .session import host_tool, runner_session

__all__ = ['Run', 'host_tool', 'plot_accuracy', 'runner_session', 'summary_table']

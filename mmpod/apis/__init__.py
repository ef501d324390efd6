"""What the command lines in `tools/` are made of."""

from .comparison import Run, plot_accuracy, summary_table
from .session import check_total_batch, host_tool, runner_session

__all__ = ['Run', 'check_total_batch', 'host_tool', 'plot_accuracy', 'runner_session', 'summary_table']

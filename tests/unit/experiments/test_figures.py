"""What can be read in the figures of runs: names, units, scales, and that nothing hides anything else."""

import itertools
import statistics

import pytest
from mmengine.config import Config

from mmpod.experiments.figures import loss_names, plot_accuracy, plot_geometry, plot_sweep
from mmpod.experiments.studies.tables import FIGURES
from mmpod.utils.paths import CONFIGS


class Curve:
    """A run that has the same curve of every metric."""

    def __init__(self, *values):
        self.values = values

    def curve(self, metric):
        return dict(enumerate(self.values, 1))


def boxes(figure, artists):
    figure.draw_without_rendering()
    return [artist.get_window_extent() for artist in artists]


def test_configs_are_called_by_their_losses():
    stems = 'softmax amsoftmax cot cosine pedccmse pod pod_bn'.split()
    files = {stem: f'{stem.partition("_")[0]}_cifar10_10k{"_bn" * stem.endswith("_bn")}.py' for stem in stems}
    models = {stem: Config.fromfile(CONFIGS / 'small' / file).model for stem, file in files.items()}
    expected = ['Softmax', 'AM-Softmax', 'COT', 'Cosine Loss', 'PEDCC-MSE', 'POD Loss', 'POD Loss with a batch norm']
    assert list(loss_names(models).values()) == expected
    own = dict(head=dict(type='my.Head'))
    assert loss_names({'a': own, 'b': own, 'c': {}}) == {'a': 'Head (a)', 'b': 'Head (b)', 'c': 'model'}


def test_many_lines_are_split_into_panels_of_at_most_seven(drawn):
    runs = [(f'loss {number}', Curve(number, 50, 90 if number < 7 else 200)) for number in range(14)]
    plot_accuracy(runs, None, title='Many')
    (figure,) = drawn
    assert [axes.get_title() for axes in figure.axes] == ['(a)', '(b)'] and figure.get_suptitle() == 'Many'
    assert [len(axes.get_legend().get_texts()) for axes in figure.axes] == [7, 7]
    named = [text.get_text() for axes in figure.axes for text in axes.get_legend().get_texts()]
    assert named == [name for name, _ in runs]
    first, second = (axes.get_ylim() for axes in figure.axes)
    assert first == second and first[0] < 0.5 and first[1] > 200  # one scale, which shows all


def test_the_legend_explains_the_band_and_hides_no_curve(drawn):
    plot_accuracy([('POD Loss', Curve(1, 90)), ('POD Loss', Curve(3, 80)), ('Softmax', Curve(2, 70))], None)
    plot_accuracy([('Softmax', Curve(2, 70))], None)
    titles = [figure.axes[0].get_legend().get_title().get_text() for figure in drawn]
    assert titles == ['line: mean of 1 to 2 seeds, band: lowest to highest', 'one seed']
    band = drawn[0].axes[0].collections[0].get_paths()[0].vertices
    assert [(band[band[:, 0] == epoch, 1].min(), band[band[:, 0] == epoch, 1].max()) for epoch in (1, 2)] == [
        (1, 3),
        (80, 90),
    ]
    axes = drawn[0].axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ('epoch', 'accuracy (%)')
    legend, frame = boxes(drawn[0], [axes.get_legend(), axes])
    assert not legend.overlaps(frame)


@pytest.mark.parametrize('values', [(2, 0.1), (1.2, 0.9, 0.7), (1e4, 1e-3)])
def test_ticks_of_the_logarithmic_axis_do_not_overlap(values, drawn):
    plot_geometry([('POD Loss', Curve(*values))], None)
    (figure,) = drawn
    axes = figure.axes[2]
    assert 'log' in axes.get_ylabel() and all(axes.get_title() for axes in figure.axes)
    figure.draw_without_rendering()
    low, high = axes.get_ylim()
    ticks = [*axes.yaxis.get_major_ticks(), *axes.yaxis.get_minor_ticks()]
    labels = [tick.label1 for tick in ticks if low <= tick.get_loc() <= high and tick.label1.get_text()]
    assert len(labels) >= 2
    extents = boxes(figure, labels)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(extents, 2))


def test_a_sweep_says_that_its_axis_is_not_to_scale(drawn):
    plot_sweep({'0': [1.0, 3.0, 8.0], '10': [3.0]}, {'0': 2.0}, 'lambda', None, 'Sweep')
    (figure,) = drawn
    highest = max(value for line in figure.axes[0].lines for value in line.get_ydata())
    assert highest == pytest.approx(4 + statistics.stdev([1, 3, 8]))
    assert figure.axes[0].get_xlabel() == 'lambda (values evenly spaced)' and figure.get_suptitle() == 'Sweep'
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()][1:] == ['paper']
    box, frame = boxes(figure, [legend, figure.axes[0]])
    assert not box.overlaps(frame)


def test_every_figure_of_the_report_has_a_title():
    assert all(figure.title for figure in FIGURES.values())

"""What the tables and figures show."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from mmpod.experiments.metrics import METRIC
from mmpod.experiments.studies.catalogue import STUDIES
from mmpod.experiments.studies.definitions import DATASETS, Cell, Figure, Table
from mmpod.experiments.studies.paper import BOTH_READINGS, PAPER_TABLES
from mmpod.experiments.studies.should_i_use_it_tables import WHEN_FIGURE, WHEN_TABLES
from mmpod.experiments.studies.small_scale import IMAGES, LABELS, LOSSES

__all__ = ['FIGURES', 'TABLES']

SPECTRUM = (*BOTH_READINGS, 'spectrum/effective_rank')
COSINES = ('target_cosine', 'max_nontarget_cosine', 'within_between')
COLLAPSE = ('nc1', 'nc2_max_angle', 'nc3_self_duality', 'effective_rank')
GEOMETRY_METRICS = tuple(f'geometry/{name}' for name in (*COSINES, *COLLAPSE))
GDA_METRICS = ('gda/top1',)
LAMBDA_TITLE, DIMENSION_TITLE = 'weight of the SC term, lambda', 'feature dimension D'
# The losses that Fig. 5 and 6 compare.
COMPARED = ('softmax', 'pod', 'pod_bn')
PANEL_NOTE = '(a) learned class weights, (b) fixed centroids'  # of the figures of all losses
FIG_5, FIG_6 = ('amsoftmax', 'pedccloss', 'cosine'), ('softmax', 'pod')


def rows(study: str, metrics: Sequence[str] = ()) -> list[Cell]:
    """Return one cell for each setting of a study."""
    cells = []
    for name, setting in STUDIES[study].settings.items():
        shown = metrics or (GDA_METRICS if '/gda_' in setting.config else (METRIC,))
        cells.append(Cell(LABELS.get(name, name), 'Accuracy', setting.key, metrics=shown))
    return cells


def tuned(tier: str, metrics: Sequence[str] = (METRIC,)) -> list[Cell]:
    """Return every loss with the settings that its trials chose, which may be the untuned ones."""
    chosen = STUDIES[f'{tier}_tuned'].settings
    return [
        Cell(label, 'Accuracy', f'{tier}_tuned/{name}' if name in chosen else f'{tier}/{name}', metrics=metrics)
        for name, label in LOSSES.items()
    ]


def accuracy(study: str, cells: Sequence[Cell] = (), **kwargs) -> Table:
    """Return a table of accuracies under the title of a study, by default of all its settings."""
    return Table(f'Accuracy (%): {STUDIES[study].title}', cells or rows(study), **kwargs)


def sweep(study: str, varied: str, others: Mapping[str, str]) -> Table:
    """Return accuracies by the value of one key, of a study and of ``others``, ``study/name`` by value."""
    found = {setting.point.partition('=')[2]: setting.key for setting in STUDIES[study].settings.values()}
    found.update(others)
    cells = [
        Cell('1/(D-1)' if value == str(1 / 255) else value, 'Accuracy', found[value])
        for value in sorted(found, key=float)
    ]
    return accuracy(study, cells, varied=varied)


def by_classifier(tier: str, trained: str) -> Table:
    """Return how the features of one training are classified: by the cosine, and by GDA of both kinds."""
    cells = [
        Cell('the cosine', 'Accuracy', trained),
        Cell('one covariance per class', 'Accuracy', f'{tier}_gda/class', metrics=GDA_METRICS),
        Cell('one for all classes', 'Accuracy', f'{tier}_gda/shared', metrics=GDA_METRICS),
    ]
    return Table(f'Accuracy (%): features of POD Loss, {IMAGES[tier]}, by classifier', cells, 'classified by')


def trials(study: str) -> Table:
    """Return the settings of a study as rows by columns: the bases by the points of the grid."""
    settings = STUDIES[study].settings.values()
    return accuracy(study, [Cell(LABELS[one.base], one.point, one.key) for one in settings], pivot=True)


def by_shrinkage(study: str) -> Table:
    """Return Gaussian discriminant analysis, features and covariance by shrinkage."""
    cells = []
    for setting in STUDIES[study].settings.values():
        stage, covariance, shrinkage = (word.partition('=')[2] for word in setting.point.split(','))
        cells.append(Cell(f'{stage}, {covariance}', shrinkage, setting.key, metrics=GDA_METRICS))
    return accuracy(study, cells, varied='features, covariance', pivot=True)


def overview() -> Table:
    """Return the table of README.md: Softmax beside POD Loss without and with a batch norm, in a few settings."""
    narrow = 'narrow ResNet-18, CIFAR-10'
    compared = [  # the row, the study, and what follows the loss in the names of its settings
        ('ResNet-50, all of CIFAR-10, 24 epochs, 1 seed', 'gpu', ''),
        ('ResNet-50, all of CIFAR-10, 44 epochs, 1 seed', 'gpu_44epochs', ''),
        (f'{narrow}, 100 images per class, tuned, 3 seeds', 'when_size', '_100'),
        (f'{narrow}, 1,000 images per class, tuned, 3 seeds', 'when_size', '_1000'),
        (f'{narrow}, 1,000 images per class, nine times as long, 3 seeds', 'when_budget', '_18000'),
        (f'narrow ResNet-18, {IMAGES["tiny"]}, 500 images per class, tuned, 3 seeds', 'when_size_tiny', '_500'),
    ]
    cells = [
        Cell(row, LABELS[name], f'{study}/{name}{suffix}')
        for row, study, suffix in compared
        for name in COMPARED
        if f'{name}{suffix}' in STUDIES[study].settings
    ]
    return Table('Accuracy (%) in short', cells, 'setting', pivot=True)


def paper_losses(key: str) -> list[Cell]:
    """Return every loss on a dataset of the paper for which there is a config."""
    found = []
    for name, label in LOSSES.items():
        loss, _, variant = name.partition('_')
        config = '_'.join(filter(None, (loss, 'resnet50', key, variant)))
        if config in STUDIES['paper'].bases:
            found.append(Cell(label, DATASETS[key], f'paper/{config}'))
    return found


POD, COSINE = 'paper/pod_resnet50_cifar10', 'paper/cosine_resnet50_cifar10'
# Studies whose table is the accuracy of all settings.
BY_STUDY = 'gpu gpu_44epochs digits small small_40epochs small_recipe small_recipe_40epochs tiny tiny_recipe'.split()
SPECTRUM_TITLE = 'Spectrum of the pooled features (64 dimensions, unit length)'
TABLES = {
    **PAPER_TABLES,
    'lambda': sweep('lambda', LAMBDA_TITLE, {'0': COSINE, '1': POD}),
    'losses': Table(
        'Accuracy (%) of every loss',
        [
            *paper_losses('cifar10'),
            *paper_losses('cifar100'),
            Cell('AM-Softmax (s = 30, m = 0.35)', 'FaceScrub', 'paper/amsoftmax_resnet50_facescrub_s30'),
            Cell("POD Loss, the released code's recipe", 'CIFAR-10', f'{POD}_released'),
        ],
    ),
    'overview': overview(),
    'gpu_features': Table('Features of the runs of gpu', rows('gpu', (*SPECTRUM, *GEOMETRY_METRICS[:3]))),
    'gpu_44epochs_features': Table('Features of the runs of gpu_44epochs', rows('gpu_44epochs', SPECTRUM)),
    **{study: accuracy(study) for study in BY_STUDY},
    'small_spectrum': Table(
        f'{SPECTRUM_TITLE} on the test images, of the runs of small_tuned', tuned('small', SPECTRUM)
    ),
    'small_probe': accuracy('small_probe', varied='setting'),
    'small_gda': by_classifier('small', 'small_tuned/pod'),
    'small_shrinkage': by_shrinkage('small_shrinkage'),
    'small_recipe_tuning': accuracy('small_recipe_tuning', varied='trial'),
    'tiny_spectrum': Table(f'{SPECTRUM_TITLE} on the validation images, of the runs of tiny', rows('tiny', SPECTRUM)),
    'tiny_gda': by_classifier('tiny', 'tiny/pod'),
    'digits_geometry': Table(STUDIES['digits_geometry'].title, rows('digits_geometry', (METRIC, *GEOMETRY_METRICS))),
    'digits_shrinkage': by_shrinkage('digits_shrinkage'),
    **WHEN_TABLES,
}
for tier in IMAGES:
    TABLES |= {
        f'{tier}_tuning': trials(f'{tier}_tuning'),
        f'{tier}_tuned': accuracy(f'{tier}_tuned', tuned(tier)),
        f'{tier}_lambda': sweep(f'{tier}_lambda', LAMBDA_TITLE, {'0': f'{tier}/cosine', '1': f'{tier}/pod'}),
        f'{tier}_dimension': sweep(f'{tier}_dimension', DIMENSION_TITLE, {'256': f'{tier}/pod'}),
        f'{tier}_geometry': Table(STUDIES[f'{tier}_geometry'].title, rows(f'{tier}_geometry', GEOMETRY_METRICS)),
    }
TABLES['small_lambda_spectrum'] = Table(
    'Spectrum of the runs of small_lambda',
    [replace(cell, metrics=SPECTRUM) for cell in TABLES['small_lambda'].cells],
    LAMBDA_TITLE,
)


def curves(table: str, names: Iterable[str], title: str) -> Figure:
    """Return the curves of some losses of a table."""
    wanted = [LABELS[name] for name in names]
    cells = [cell for cell in TABLES[table].cells if cell.row in wanted and cell.column in ('Accuracy', 'CIFAR-100')]
    return Figure(title, 'curves', cells)


# The paper does not say which dataset Fig. 5 and 6 show; CIFAR-100 is the first of Table III.
FIGURES = {
    'dimension': Figure('Accuracy by feature dimension', 'sweep', TABLES['I'].cells, DIMENSION_TITLE),
    'fig5': curves('losses', FIG_5, 'Accuracy by epoch of AM-Softmax, PEDCC-Loss and Cosine Loss on CIFAR-100'),
    'fig6': curves('losses', FIG_6, 'Accuracy by epoch of Softmax and POD Loss on CIFAR-100'),
    'sc_weight': Figure('Accuracy by lambda', 'sweep', TABLES['lambda'].cells, LAMBDA_TITLE),
    'geometry_digits': Figure(
        "Geometry of the features on the test images, scikit-learn's digits", 'geometry', rows('digits_geometry')
    ),
    'curves_gpu': curves('gpu', COMPARED, STUDIES['gpu'].title),
    'when_it_helps': WHEN_FIGURE,
    'curves_gpu_44epochs': curves('gpu_44epochs', COMPARED[:2], STUDIES['gpu_44epochs'].title),
}
for tier, images in IMAGES.items():
    weights, dimensions = TABLES[f'{tier}_lambda'].cells, TABLES[f'{tier}_dimension'].cells
    FIGURES |= {
        f'curves_{tier}': curves(tier, LOSSES, f'Accuracy by epoch, untuned, {images}; {PANEL_NOTE}'),
        f'fig5_{tier}': curves(f'{tier}_tuned', FIG_5, f'Fig. 5 at small scale, tuned, {images}'),
        f'fig6_{tier}': curves(f'{tier}_tuned', FIG_6, f'Fig. 6 at small scale, tuned, {images}'),
        f'sc_weight_{tier}': Figure(f'Accuracy by lambda, {images}', 'sweep', weights, LAMBDA_TITLE),
        f'dimension_{tier}': Figure(f'Accuracy by feature dimension, {images}', 'sweep', dimensions, DIMENSION_TITLE),
    }

"""What the tables and figures show of the studies."""

from collections.abc import Sequence

from mmpod.experiments.catalogue import DATASETS, Cell, Figure, Table
from mmpod.experiments.paper import BOTH_READINGS, PAPER_FIGURES, PAPER_TABLES
from mmpod.experiments.run import METRIC
from mmpod.experiments.small_tier import IMAGES, LABELS, LOSSES
from mmpod.experiments.studies import STUDIES

__all__ = ['FIGURES', 'TABLES']

SPECTRUM = (*BOTH_READINGS, 'spectrum/effective_rank')
GEOMETRY = tuple(
    f'geometry/{name}'
    for name in (
        'target_cosine',
        'max_nontarget_cosine',
        'within_between',
        'nc1',
        'nc2_max_angle',
        'nc3_self_duality',
        'effective_rank',
    )
)
OPEN_SET = tuple(
    f'open_set/{score}_{measure}'
    for score in ('log_density', 'mahalanobis', 'max_cosine')
    for measure in ('auroc', 'fpr95')
)
GDA = ('gda/top1',)
LAMBDA, DIMENSION = 'weight of the SC term, lambda', 'feature dimension D'
EPOCHS = (3, 6, 9, 10, 15)
# The losses that Fig. 5 and 6 compare.
FIG_5, FIG_6 = ('amsoftmax', 'pedccloss', 'cosine'), ('softmax', 'pod')


def rows(study: str, names: Sequence[str] = (), metrics: Sequence[str] = ()) -> list[Cell]:
    """Return one cell for each setting of a study, or for some of them."""
    return [
        Cell(
            LABELS.get(name, name),
            'Accuracy',
            setting.key,
            metrics=metrics or (GDA if '/gda_' in setting.config else (METRIC,)),
        )
        for name, setting in STUDIES[study].settings.items()
        if not names or name in names
    ]


def of_study(study: str, title: str = '', **kwargs) -> Table:
    """Return the table of all settings of a study."""
    return Table(f'Accuracy (%): {title or STUDIES[study].title}', rows(study), **kwargs)


def by_lambda(study: str, cosine: str, pod: str) -> Table:
    """Return the sweep of lambda: 0 is Cosine Loss, 1 POD Loss of another study."""
    swept = [Cell(name.partition('=')[2], 'Accuracy', setting.key) for name, setting in STUDIES[study].settings.items()]
    swept[0] = Cell('1/(D-1)', 'Accuracy', swept[0].runs)
    cells = [Cell('0', 'Accuracy', cosine), *swept[:3], Cell('1', 'Accuracy', pod), *swept[3:]]
    return Table(f'Accuracy (%): {STUDIES[study].title}', cells, LAMBDA)


def by_dimension(tier: str) -> Table:
    """Return the sweep of the feature dimension: 256 is POD Loss of another study."""
    study = STUDIES[f'{tier}_dimension']
    swept = [Cell(name.partition('=')[2], 'Accuracy', setting.key) for name, setting in study.settings.items()]
    return Table(
        f'Accuracy (%): {study.title}', [*swept[:4], Cell('256', 'Accuracy', f'{tier}/pod'), *swept[4:]], DIMENSION
    )


def tuned(tier: str) -> list[Cell]:
    """Return every loss with the settings that its trials chose, which may be the untuned ones."""
    chosen = STUDIES[f'{tier}_tuned'].settings
    return [
        Cell(label, 'Accuracy', f'{tier}_tuned/{name}' if name in chosen else f'{tier}/{name}')
        for name, label in LOSSES.items()
    ]


def with_metrics(cells: Sequence[Cell], metrics: Sequence[str]) -> list[Cell]:
    """Return the same cells with other metrics."""
    return [Cell(cell.row, cell.column, cell.runs, metrics=metrics) for cell in cells]


def by_classifier(tier: str, trained: str) -> Table:
    """Return how the features of one training are classified: by the cosine, and by GDA of both kinds."""
    cells = [
        Cell('the cosine', 'Accuracy', trained),
        Cell('one covariance per class', 'Accuracy', f'{tier}_gda/class', metrics=GDA),
        Cell('one for all classes', 'Accuracy', f'{tier}_gda/shared', metrics=GDA),
    ]
    return Table(f'Accuracy (%): features of POD Loss, {IMAGES[tier]}, by classifier', cells, 'classified by')


def trials(study: str, **kwargs) -> Table:
    """Return the settings of a study as rows by columns: the bases by the points of the grid."""
    settings = STUDIES[study].settings.values()
    cells = [Cell(LABELS.get(setting.base, setting.base), setting.point, setting.key, **kwargs) for setting in settings]
    return Table(f'Accuracy (%): {STUDIES[study].title}', cells, pivot=True)


def by_shrinkage(study: str) -> Table:
    """Return Gaussian discriminant analysis, features and covariance by shrinkage."""
    cells = []
    for setting in STUDIES[study].settings.values():
        stage, covariance, shrinkage = (word.partition('=')[2] for word in setting.point.split(','))
        cells.append(Cell(f'{stage}, {covariance}', shrinkage, setting.key, metrics=GDA))
    return Table(f'Accuracy (%): {STUDIES[study].title}', cells, 'features, covariance', pivot=True)


def paper_losses(key: str) -> list[Cell]:
    """Return every loss on a dataset of the paper for which there is a config."""
    found = []
    for name, label in LOSSES.items():
        loss, _, variant = name.partition('_')
        config = f'{loss}_resnet50_{key}' + (f'_{variant}' if variant else '')
        if config in STUDIES['paper'].bases:
            found.append(Cell(label, DATASETS[key], f'paper/{config}'))
    return found


TABLES = {
    **PAPER_TABLES,
    'lambda': by_lambda('lambda', 'paper/cosine_resnet50_cifar10', 'paper/pod_resnet50_cifar10'),
    'losses': Table(
        'Accuracy (%) of every loss',
        [
            *paper_losses('cifar10'),
            *paper_losses('cifar100'),
            Cell('AM-Softmax (s = 30, m = 0.35)', 'FaceScrub', 'paper/amsoftmax_resnet50_facescrub_s30'),
            Cell("POD Loss, the released code's recipe", 'CIFAR-10', 'paper/pod_resnet50_cifar10_released'),
        ],
    ),
    'gpu': of_study('gpu'),
    'gpu_features': Table(
        'Features of the runs of gpu', rows('gpu', metrics=(*SPECTRUM, *(name for name in GEOMETRY[:3])))
    ),
    'digits': of_study('digits'),
    'small': of_study('small'),
    'small_epochs': Table('Accuracy (%) by epoch of the runs of small', rows('small', tuple(LOSSES)), epochs=EPOCHS),
    'small_tuning': trials('small_tuning'),
    'small_tuned': Table(f'Accuracy (%): {STUDIES["small_tuned"].title}', tuned('small')),
    'small_tuned_epochs': Table('Accuracy (%) by epoch of the runs of small_tuned', tuned('small'), epochs=EPOCHS),
    'small_spectrum': Table(
        'Spectrum of the pooled features (64 dimensions, unit length) on the test images, of the runs of small_tuned',
        with_metrics(tuned('small'), SPECTRUM),
    ),
    'small_40epochs': of_study('small_40epochs'),
    'small_probe': of_study('small_probe', varied='setting'),
    'small_repeated': Table(STUDIES['small_repeated'].title, rows('small_repeated', metrics=(METRIC, *GDA, *SPECTRUM))),
    'small_lambda': by_lambda('small_lambda', 'small/cosine', 'small/pod'),
    'small_dimension': by_dimension('small'),
    'small_geometry': Table(STUDIES['small_geometry'].title, rows('small_geometry', metrics=GEOMETRY)),
    'small_gda': by_classifier('small', 'small_tuned/pod'),
    'small_shrinkage': by_shrinkage('small_shrinkage'),
    'small_recipe': of_study('small_recipe'),
    'small_recipe_40epochs': of_study('small_recipe_40epochs'),
    'small_recipe_tuning': of_study('small_recipe_tuning', varied='trial'),
    'tiny': of_study('tiny'),
    'tiny_tuning': trials('tiny_tuning'),
    'tiny_tuned': Table(f'Accuracy (%): {STUDIES["tiny_tuned"].title}', tuned('tiny')),
    'tiny_tuned_epochs': Table('Accuracy (%) by epoch of the runs of tiny_tuned', tuned('tiny'), epochs=EPOCHS),
    'tiny_spectrum': Table(
        'Spectrum of the pooled features (64 dimensions, unit length) on the validation images, of the runs of tiny',
        rows('tiny', metrics=SPECTRUM),
    ),
    'tiny_lambda': by_lambda('tiny_lambda', 'tiny/cosine', 'tiny/pod'),
    'tiny_dimension': by_dimension('tiny'),
    'tiny_geometry': Table(STUDIES['tiny_geometry'].title, rows('tiny_geometry', metrics=GEOMETRY)),
    'tiny_gda': by_classifier('tiny', 'tiny/pod'),
    'tiny_recipe': of_study('tiny_recipe'),
    'digits_shrinkage': by_shrinkage('digits_shrinkage'),
    'open_set': Table(STUDIES['open_set'].title, rows('open_set', metrics=OPEN_SET)),
}
TABLES['small_lambda_spectrum'] = Table(
    'Spectrum of the runs of small_lambda', with_metrics(TABLES['small_lambda'].cells, SPECTRUM), LAMBDA
)


def curves(table: str, names: Sequence[str], title: str) -> Figure:
    """Return the curves of some losses of a table."""
    wanted = [LABELS[name] for name in names]
    cells = [cell for cell in TABLES[table].cells if cell.row in wanted and cell.column in ('Accuracy', 'CIFAR-100')]
    return Figure(title, 'curves', cells)


# The paper does not say which dataset Fig. 5 and 6 show; CIFAR-100 is the first of Table III.
FIGURES = {
    **PAPER_FIGURES,
    'fig5': curves('losses', FIG_5, 'Accuracy by epoch of AM-Softmax, PEDCC-Loss and Cosine Loss on CIFAR-100'),
    'fig6': curves('losses', FIG_6, 'Accuracy by epoch of Softmax and POD Loss on CIFAR-100'),
    'sc_weight': Figure('Accuracy by lambda', 'sweep', TABLES['lambda'].cells, LAMBDA),
    'curves_gpu': curves('gpu', ('softmax', 'pod', 'pod_bn'), STUDIES['gpu'].title),
}
for tier, images in IMAGES.items():
    FIGURES |= {
        f'curves_{tier}': curves(tier, tuple(LOSSES), f'Accuracy by epoch, nothing tuned, {images}'),
        f'fig5_{tier}': curves(f'{tier}_tuned', FIG_5, f'Fig. 5 at small scale, tuned, {images}'),
        f'fig6_{tier}': curves(f'{tier}_tuned', FIG_6, f'Fig. 6 at small scale, tuned, {images}'),
        f'sc_weight_{tier}': Figure(f'Accuracy by lambda, {images}', 'sweep', TABLES[f'{tier}_lambda'].cells, LAMBDA),
        f'dimension_{tier}': Figure(
            f'Accuracy by feature dimension, {images}', 'sweep', TABLES[f'{tier}_dimension'].cells, DIMENSION
        ),
    }

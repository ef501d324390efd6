"""Extensions of MMEngine's Runner: hooks, optimizers, checkpoints and file backends."""

from .atomic_local_backend import AtomicLocalBackend
from .hooks.channels_last_hook import ChannelsLastHook
from .hooks.check_data_hook import CheckDataHook
from .hooks.check_invalid_loss_hook import CheckInvalidLossHook
from .hooks.check_weights_hook import CheckWeightsHook
from .hooks.compile_features_hook import CompileFeaturesHook
from .hooks.deferred_runtime_info_hook import DeferredRuntimeInfoHook
from .hooks.epoch_seed_hook import EpochSeedHook
from .hooks.features_hook import FeaturesHook
from .hooks.few_shot_hook import FewShotHook
from .hooks.fit_gda_hook import FitGDAHook
from .hooks.norm_adaptive_hook import NormAdaptiveHook
from .hooks.open_set_hook import OpenSetHook
from .hooks.plain_checkpoint_hook import PlainCheckpointHook
from .hooks.reset_momentum_hook import ResetMomentumHook
from .hooks.validate_on_resume_hook import ValidateOnResumeHook
from .inferencer import Inferencer
from .optimizers.bfloat16_optim_wrapper import BFloat16OptimWrapper
from .optimizers.cot_optim_wrapper_constructor import COTOptimWrapperConstructor
from .trained_model import get_model

__all__ = [
    'AtomicLocalBackend',
    'BFloat16OptimWrapper',
    'COTOptimWrapperConstructor',
    'ChannelsLastHook',
    'CheckDataHook',
    'CheckInvalidLossHook',
    'CheckWeightsHook',
    'CompileFeaturesHook',
    'DeferredRuntimeInfoHook',
    'EpochSeedHook',
    'FeaturesHook',
    'FewShotHook',
    'FitGDAHook',
    'Inferencer',
    'NormAdaptiveHook',
    'OpenSetHook',
    'PlainCheckpointHook',
    'ResetMomentumHook',
    'ValidateOnResumeHook',
    'get_model',
]

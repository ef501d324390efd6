_base_ = ['mmpretrain::_base_/default_runtime.py']

default_hooks = dict(
    # Keep two, because MMEngine deletes the oldest before it writes the next.
    checkpoint=dict(max_keep_ckpts=2, backend_args=dict(backend='atomic_local')),
    epoch_seed=dict(type='mmpod.EpochSeedHook'),
    plain_checkpoint=dict(type='mmpod.PlainCheckpointHook'),
    check_data=dict(type='mmpod.CheckDataHook'),
    check_weights=dict(type='mmpod.CheckWeightsHook'),
    features=dict(type='mmpod.FeaturesHook'),
    invalid_loss=dict(type='mmpod.CheckInvalidLossHook'),
    validate_on_resume=dict(type='mmpod.ValidateOnResumeHook'),
)

"""Configuration of a run: every option declared once, its check, and the run files that set options."""

from dfv.config.fields import ConfigError, Role
from dfv.config.schema import Config, DataConfig, LatentConfig, LossConfig, NetworkConfig, TrainingConfig

__all__ = [
    "Config",
    "ConfigError",
    "DataConfig",
    "LatentConfig",
    "LossConfig",
    "NetworkConfig",
    "Role",
    "TrainingConfig",
]

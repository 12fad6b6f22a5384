"""What a run is made of: every option once, how it is checked, and the files that set it."""

from dfv.config.fields import ConfigError
from dfv.config.schema import Config, DataConfig, LatentConfig, LossConfig, NetworkConfig, TrainingConfig

__all__ = ["Config", "ConfigError", "DataConfig", "LatentConfig", "LossConfig", "NetworkConfig", "TrainingConfig"]

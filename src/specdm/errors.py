"""What SpecDM raises when a user's input cannot be used.

Every message says what was found, what was expected and what to do next, with the file's name.
The command line turns each of these into one line and exit code 2.
"""


class SpecDMError(Exception):
    """Base of all errors that a user can mend."""


class FileFormatError(SpecDMError):
    """A file cannot be read as what it claims or is taken to be."""


class SceneError(SpecDMError):
    """Image data does not make a scene: wrong shape, no usable band, no valid pixel."""


class MaskError(SpecDMError):
    """A mask does not fit its image or its classes."""


class TileError(SpecDMError):
    """A scene cannot be tiled as asked, or a tile set is not usable for what is asked."""


class ConfigError(SpecDMError):
    """A configuration has an unknown key or a value out of range."""


class TrainingError(SpecDMError):
    """Training cannot start or go on."""


class RunError(SpecDMError):
    """A run folder is missing, incomplete, not writable or of another configuration."""


class ModelError(SpecDMError):
    """A saved model cannot be loaded, or does not fit the data it is used with."""


class HubError(SpecDMError):
    """Something cannot be fetched from the Hugging Face Hub, or sent to it."""

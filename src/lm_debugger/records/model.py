"""What is said of a loaded model wherever a result names it."""

from lm_debugger.records.base import Record


class ModelSummary(Record):
    """A loaded model.

    Args:
        name: as the user gave it (hub id, folder, file or `demo`), or the class name for a model given in memory.
        fingerprint: identifies architecture and weights; caches and saved work are keyed by it.
        layers: number of layers.
        value_vectors: number of value vectors in the whole model.
        architecture: the model class.
        hidden_size: width of the residual stream.
        vocabulary: number of tokens that the unembedding scores.
        context: most tokens the model accepts, or None where it states no limit.
        parameters: number of parameters.
        dtype: the parameters' dtype, such as `float32`.
        device: where the first parameter lives.
    """

    name: str
    fingerprint: str
    layers: int
    value_vectors: int
    architecture: str
    hidden_size: int
    vocabulary: int
    context: int | None
    parameters: int
    dtype: str
    device: str

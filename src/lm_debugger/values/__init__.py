"""Value vectors in weight space: the vectors, their projection, their calibrated ranges."""

"""Who wrote a prediction: direct effects, estimates of causes, ablation, information flow, patching."""

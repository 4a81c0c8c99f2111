"""Training of the weights of a checkpoint: the loop, its checkpoints, classifiers, causal models, pruned siblings."""

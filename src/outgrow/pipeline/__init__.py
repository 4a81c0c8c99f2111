"""Designs, cells with the resources of methods, baselines, the loop of a study and its executors; oracle, seal, canary."""

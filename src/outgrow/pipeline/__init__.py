"""Designs, cells with the resources of methods, baselines, the loop and its executors; oracle, seal, canary."""

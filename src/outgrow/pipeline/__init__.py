"""The cell of a study: splits, resources of a method, baselines, the oracle, the seal, the canary, executors."""

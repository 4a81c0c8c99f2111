"""Whole jobs, one a file: study, learn, audit, committee, proxy-tuning, self-training."""

"""The two steps of Dawid & Skene 1979 on soft votes, in logs.

    M: pi_k ~ sum_i q_ik,    C_jkl ~ sum_i q_ik v_ijl + smoothing
    E: log q_ik = log pi_k + sum_jl v_ijl log C_jkl + const

An abstention is one more label l where it is a vote (`Votes.silence`), and missing elsewhere.
"""

from __future__ import annotations

import numpy as np

from outgrow.label_models._votes import Votes


def em(votes: Votes, smoothing: float, steps: int = 100) -> np.ndarray:
    """(items, C): the posterior, from the mean vote on, until no entry moves by 1e-7 or for so many steps."""
    q = votes.mean
    for _ in range(steps):
        before, q = q, posterior(votes, *fitted(votes, q, smoothing))
        if np.nanmax(np.abs(q - before), initial=0) < 1e-7:
            break
    return q


def settled(votes: Votes) -> np.ndarray:
    """`em`, or `em` of hardened votes if its posterior varies less than the mean vote.

    A vote of confidence u moves the posterior by u times its evidence, and the posterior the next confusion table by u
    again: below some u both fade out, and every item ends at the prior.
    """
    q, told = em(votes, smoothing=0.1), np.bincount(votes.item, minlength=votes.items) > 0
    faded = told.any() and q[told].var(0).sum() < votes.mean[told].var(0).sum()
    return em(votes.hard, smoothing=0.1) if faded else q


def fitted(votes: Votes, q: np.ndarray, smoothing: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """M step: log pi (C,), log C (annotators, C voted, C true), log C of abstentions; 0 if missing."""
    q, classes = np.nan_to_num(q), q.shape[1]
    seen = (votes.matrix.T @ q).reshape(votes.annotators, classes, classes) + smoothing
    tells = votes.silence.sum(0)[:, None] > 0
    quiet = np.where(tells, votes.silence.T @ q + smoothing, 0)
    total = seen.sum(1) + quiet
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(q.sum(0) / q.sum()), np.log(seen / total[:, None]), np.where(tells, np.log(quiet / total), 0)


def posterior(votes: Votes, log_prior: np.ndarray, log_confusion: np.ndarray, log_silence: np.ndarray) -> np.ndarray:
    """E step: (items, C)."""
    log_q = log_prior + votes.matrix @ log_confusion.reshape(-1, len(log_prior)) + votes.silence @ log_silence
    q = np.exp(log_q - log_q.max(1, keepdims=True))
    return np.where(np.diff(votes.matrix.indptr)[:, None] > 0, q / q.sum(1, keepdims=True), np.nan)

"""Every constant of a score model, named, with its unit.

A model is data: a new one is a new `ScoreModel`, and what is published names the model it was computed by.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ScoreModel:
    """The constants of one version of the score, as docs/architecture.md uses them.

    Micro-points are 1e-6 points of influence, a share in millionths is 1e-6, ages and days are whole UTC days.

    name: what score updates call this model.

    Weighing, at the actor:
    selective_after: reactions of one actor and day that count in full; the n-th after them counts this number / n.
    engager_step: millionths by which each whole point that the engager has earned (above the score of no influence) raises a weight.
    engager_lag: days between the open day and the newest published score that may weigh its engagements.
    anonymous_share: millionths of an action's weight that count when nobody is named as its actor.
    memory_half_life: days in which what an actor is remembered to have brought a target halves. Much shorter than half_life: an act
      must not take more from later ones than it still gives itself.
    pairs_kept: targets an actor remembers.
    remembered_days: days for which an act is known, to drop repeats and to be taken back: the window, and as much as an event may
      lie ahead of the open day.
    daily_limit: reactions of one actor accepted a day.
    plus_k_daily: +Ks one actor may give a day.
    plus_k_repeat_days: days before the same +K, to the same person in the same topic, is accepted again.
    topics_most: topics one engagement may name.
    future_days: days by which an engagement may lie ahead of the open day.

    Adding up, at the target:
    window_days: days that count; influence of this age or older is nothing.
    half_life: days in which influence halves, before the taper that brings it to zero at the window's end.
    taper_power: how flat that end is: the power of 1 - (age / window)^2.
    amplification_floor: share of the influence that stays however many posts it took.
    amplification_prior: posts, with the network's mean reactions, added to everybody's own before dividing.
    first_mean: reactions per post taken for a network of which nothing is known.
    mean_lowest, mean_highest: limits of a network's mean reactions per post.

    The scale:
    lowest, highest: limits of the score, in points.
    top_ratio: raw influence, in units of r0, that reaches `highest`.
    prior: raw influence lent to everybody, in points: what a score says of people of whom little is known.
    bins: bins that people are counted in by raw influence; bin 0 holds those without any.
    bins_per_octave: bins by which a doubling of raw influence moves.
    bins_from: log2 of the raw influence at which bin 1 begins.

    Calibration:
    mean: what the average score of the population is calibrated to, in points.
    r0_first: unit of raw influence before anybody had any.
    r0_lowest, r0_highest: limits of r0, in raw influence.
    r0_step: the most by which r0 rises in a day, as a share of it; it falls by the same factor at most.
    mean_step: likewise for a network's mean reactions per post.
    free_days: closed days after which these limits begin to hold: for r0 all of them, for a mean those since the network's first post.

    Leaders:
    leaders_kept: ranks a leaderboard holds.
    gold_ranks: influencers of a topic, from rank 1, who wear the gold sash.
    blue_ranks: +K recipients of a topic, from rank 1, who wear the blue sash.
    """

    name: str
    selective_after: int = 10
    engager_step: int = 100_000
    engager_lag: int = 2
    anonymous_share: int = 500_000
    memory_half_life: float = 10.0
    pairs_kept: int = 4_096
    remembered_days: int = 120
    daily_limit: int = 5_000
    plus_k_daily: int = 5
    plus_k_repeat_days: int = 7
    topics_most: int = 20
    future_days: int = 30
    window_days: int = 90
    half_life: float = 30.0
    taper_power: int = 3
    amplification_floor: float = 0.25
    amplification_prior: float = 5.0
    first_mean: float = 1.0
    mean_lowest: float = 0.2
    mean_highest: float = 100.0
    lowest: float = 1.0
    highest: float = 100.0
    top_ratio: float = 10_000.0
    prior: float = 1.0
    bins: int = 2_048
    bins_per_octave: int = 32
    bins_from: int = -20
    mean: float = 20.0
    r0_first: float = 1.0
    r0_lowest: float = 1e-6
    r0_highest: float = 1e9
    r0_step: float = 0.02
    mean_step: float = 0.004
    free_days: int = 45
    leaders_kept: int = 100
    gold_ranks: int = 20
    blue_ranks: int = 50


V1 = ScoreModel(name="v1")

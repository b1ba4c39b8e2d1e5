"""What graded samples imply about the true pass rate."""

CONFIDENCE = 0.95
"""Confidence of the one-sided lower bound on the true pass rate."""


def lower_bound(passes: int, samples: int, confidence: float = CONFIDENCE) -> float:
    """The exact one-sided lower bound on the true pass rate: BetaInv(1 − confidence; y, M − y + 1).

    With y = M that is (1 − confidence)^(1/M); without a pass it is 0. Source: Clopper & Pearson (1934).

    Raises:
        ValueError: passes outside 0..samples.
    """
    if not 0 <= passes <= samples:
        raise ValueError(f"{passes} passes of {samples} samples")
    if passes == 0:
        return 0.0
    if passes == samples:
        return float((1 - confidence) ** (1 / samples))
    from scipy.special import betaincinv  # noqa: PLC0415 - slow to load; most processes start without judging

    return float(betaincinv(passes, samples - passes + 1, 1 - confidence))


def samples_needed(failures: int, accuracy: float, confidence: float = CONFIDENCE) -> int:
    """The fewest samples, with this many failures among them, whose lower bound reaches the accuracy.

    29, 46, 61, 76 for 0, 1, 2, 3 failures at 0.90. Source: Clopper & Pearson (1934).

    Raises:
        ValueError: failures below 0, or an accuracy or confidence that isn't between 0 and 1.
    """
    if failures < 0 or not (0 < accuracy < 1 and 0 < confidence < 1):
        raise ValueError(f"{failures} failures at an accuracy of {accuracy}, confidence {confidence}")

    def enough(samples: int) -> bool:
        return lower_bound(samples - failures, samples, confidence) >= accuracy

    high = failures + 1
    while not enough(high):
        high *= 2
    low = failures + 1
    while low < high:  # the bound rises with every pass, so bisect for the first crossing
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle + 1
    return low

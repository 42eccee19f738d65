"""What the published tables say of a claim, computed once a process for all tests that ask."""

from functools import cache

from meanings.statistics.effects import Effect, Verdict
from meanings.validity.claims import catalogue
from meanings.validity.claims.claim import Claim


@cache
def decided(claim: Claim) -> tuple[Effect | None, Verdict]:
    """The effect in the published tables and its verdict."""
    return claim.decide(catalogue.tables_of([claim]))

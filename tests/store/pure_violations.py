"""What a source's violations come to by the pure rule alone: plain dicts, one statement at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bursarbridge.ledger.facts import Standing, Violation
from bursarbridge.ledger.violations import Finding, KnownViolation, decide_violation, is_cleared
from bursarbridge.store.tally import Tally


@dataclass
class Past:
    """All that was true of one violation, oldest first, and when it was told twice at once."""

    states: list[KnownViolation]
    contested: set[str] = field(default_factory=set)

    @property
    def now(self) -> KnownViolation:
        return self.states[-1]


@dataclass
class PureViolations:
    """The books of one source."""

    absent: str
    known: dict[str, Past] = field(default_factory=dict)
    listed: str = ""
    covers: bool = False
    questions: set[tuple[str, str]] = field(default_factory=set)
    """Code and reference of what is open."""

    def post(self, as_of: str, kind: str, facts: Sequence[Violation]) -> Tally:
        """One delivery."""
        tally = Tally()
        if as_of < self.listed and (kind == "full" or self.covers):
            tally.already.add(len(facts), sum(one.cents for one in facts))
            return tally
        before = set(self.questions)
        spoken: set[str] = set()
        for fact in facts:
            self._tell(as_of, fact, tally, before)
            spoken.add(fact.reference)
        if kind == "full":
            self._list(as_of, spoken)
        return tally

    def _tell(self, as_of: str, fact: Violation, tally: Tally, before: set[tuple[str, str]]) -> None:
        past = self.known.get(fact.reference)
        listed = self.listed if past is None and self.covers else ""
        finding = decide_violation(fact, as_of, past.now if past else None, listed)
        end = {Finding.NEW: "posted", Finding.CHANGED: "posted", Finding.CONFLICT: "conflicts", Finding.OTHER_PERSON: "suspended"}
        getattr(tally, end.get(finding, "already")).add(1, fact.cents)
        told = KnownViolation(*fact[1:], as_of)
        if past is None:
            if finding is Finding.NEW:
                self.known[fact.reference] = Past([told])
            return
        if finding is Finding.OTHER_PERSON:
            self.questions.add((f"violation_other_person:{fact.account}", fact.reference))
        elif finding is Finding.CONFLICT:
            self.questions.add(("violation_conflict", fact.reference))
            if as_of not in past.contested:
                earlier = [one for one in past.states if one.as_of < as_of]
                owes = earlier[-1] if earlier else past.now._replace(cents=0, status=Standing.ABSENT)
                past.states.append(owes._replace(as_of=as_of))
                past.contested.add(as_of)
        elif finding is Finding.CHANGED or (finding is Finding.SAME and as_of > past.now.as_of):
            past.states.append(told)
            if as_of > self.listed:
                self.questions -= {one for one in before if one[1] == fact.reference}

    def _list(self, as_of: str, spoken: set[str]) -> None:
        """What a complete list says of everything it holds, and of everything else."""
        tie = as_of == self.listed
        for reference, past in self.known.items():
            if reference in spoken or tie:
                continue
            if not is_cleared(past.now, "", as_of):
                past.states.append(past.now._replace(as_of=max(as_of, past.now.as_of)))
            elif self.absent == "ask":
                self.questions.add(("violation_absent", reference))
            else:
                past.states.append(past.now._replace(cents=0, status=Standing.ABSENT, as_of=as_of))
                self.questions = {one for one in self.questions if one[1] != reference}
        for reference in set() if tie else spoken - {one for code, one in self.questions if code == "violation_absent"}:
            spoken_of = self.known[reference]
            spoken_of.states.append(spoken_of.now._replace(as_of=max(as_of, spoken_of.now.as_of)))
        self.listed, self.covers = as_of, self.absent == "cleared"

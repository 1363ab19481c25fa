"""What the model does in each scenario, and what Draft is to make of it."""


class Scenario:
    """A ticket's script, and the expected end. `OUTSIDE` is a file outside the worktree.

    `but` has the agents that are expected to end otherwise, for what they can or cannot do.
    """

    def __init__(self, name, script, expected, *, yolo=True, verify=None, tell=None, cancel=False, timeout=120,
                 idle=None, reason=(), diff=(), log=(), but=None):
        self.name, self.script, self.expected, self.yolo, self.verify = name, script, expected, yolo, verify
        self.tell, self.cancel, self.timeout, self.idle = tell, cancel, timeout, idle
        self.reason, self.diff, self.log, self.but = reason, diff, log, but or {}

    def ends(self, agent):
        """Returns the states in which a ticket of that agent may end."""
        return self.but.get(agent, self.expected)


# Some refuse to edit what they have not read.
READ = "[[read calc.py]]"
MEND = f"{READ} [[edit calc.py     return a - b =>     return a + b]]"
MENDED = "+    return a + b"
TESTS = "python3 -m unittest -q"
REVIEW = ["needs_human (review)"]
FAILED = ["blocked (failed)"]
REFUSED = ["needs_human (refused)"]
# They have no mode between asking a person and asking nobody, so Draft starts them only where they may do everything.
ALL_OR_NOTHING = {"cline": REFUSED, "kimi": REFUSED}

SCENARIOS = [
    Scenario("success", f"[[say I mend add.]] {MEND} [[bash python3 -m unittest -q]] [[say Mended.]]", REVIEW,
             verify=TESTS, diff=[MENDED], log=["assistant", "edit"]),
    Scenario("several", f"{MEND} [[write notes.md Added.]] [[bash mkdir -p doc]] [[write doc/more.md More.]] [[say Three files.]]", REVIEW,
             verify=TESTS, diff=[MENDED, "notes.md", "doc/more.md"]),
    Scenario("failing-command", f"[[bash sh -c 'echo oh no; exit 7']] {MEND} [[say It went on.]]", REVIEW,
             diff=[MENDED]),
    Scenario("broken-test", f"{READ} [[edit calc.py     return a - b =>     return a * b]] [[say Done.]]", FAILED,
             verify=TESTS, reason=["unittest"]),
    Scenario("nothing", "[[say There is nothing to do.]]", FAILED, reason=["changed nothing"]),
    Scenario("edits-only", f"{MEND} [[write notes.md Added.]] [[say Mended.]]", REVIEW, yolo=False,
             diff=[MENDED, "notes.md"], but=ALL_OR_NOTHING),
    # A permission mode is the agent's promise: some write where they are not meant to.
    Scenario("refused", "[[write OUTSIDE Out of bounds.]] [[say I wrote it.]]", REFUSED, yolo=False,
             but={"qwen": FAILED, "pi": FAILED, "droid": FAILED}),
    # Some offer no shell then, so that nothing is refused; the ticket has the agent's own words.
    Scenario("refused-command", "[[bash curl -s -o OUTSIDE http://127.0.0.1:9/]] [[say I ran it.]]", REFUSED + FAILED,
             yolo=False),
    Scenario("question", "[[say I looked at it.\n\nWhich of the two shall I mend?]]", ["needs_human (question)"],
             reason=["Which of the two"]),
    Scenario("answer", "[[say Which of the two shall I mend?]]", REVIEW, verify=TESTS,
             tell=f"The first one. {MEND} [[say Mended.]]", diff=[MENDED]),
    Scenario("feedback", f"{MEND} [[say Mended.]]", REVIEW, verify=TESTS,
             tell="Write it down, too. [[write notes.md Added.]] [[say Written.]]", diff=[MENDED, "notes.md"]),
    Scenario("401", f"[[error 401]] {MEND}", FAILED, timeout=60, reason=["401", "key", "auth"]),
    Scenario("429-twice", f"[[error 429 x2]] {MEND} [[say Mended.]]", REVIEW, diff=[MENDED]),
    Scenario("429-for-ever", f"[[error 429]] {MEND}", FAILED, timeout=45,
             reason=["429", "too many", "could not be reached", "ran out of time"]),
    Scenario("500-for-ever", f"[[error 500]] {MEND}", FAILED, timeout=45,
             reason=["500", "broken", "temporary", "could not be reached", "ran out of time"]),
    Scenario("stalled", f"[[stall]] {MEND}", FAILED, idle=20, timeout=90,
             reason=["printed nothing", "could not be reached"]),
    Scenario("cut", f"[[say I begin with the first of the two.]] [[cut]] {MEND}", FAILED, timeout=60),
    Scenario("canceled", f"{MEND} [[bash touch OUTSIDE && sleep 300]] [[say Slept.]]", ["blocked (canceled)"],
             timeout=300, cancel=True),
]

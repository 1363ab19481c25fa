#!/usr/bin/env python3
"""Runs real coding agents through `draft run`, against a scripted model, and writes down what came of it.

See README.md. Nothing leaves the machine: where the system allows it, everything runs without any network but loopback.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from agents import AGENTS, QUIET, before
from model import Server
from scenarios import SCENARIOS

HERE = Path(__file__).resolve().parent
MARK = "DRAFT_LAB_RUN"
CALC = "def add(a, b):\n    return a - b\n\n\ndef double(a):\n    return a + a\n"
TEST = """import unittest
from calc import add, double


class Calc(unittest.TestCase):
    def test_add(self):
        self.assertEqual(add(2, 3), 5)

    def test_double(self):
        self.assertEqual(double(4), 8)
"""
GIT = {name: "Lab" if name.endswith("NAME") else "lab@localhost" for name in (
    "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")}


class Bench:
    """One agent in one scenario: a home, a data folder, a repository and a model of their own."""

    def __init__(self, options, agent, scenario):
        self.agent, self.scenario, self.options = agent, scenario, options
        self.folder = Path(tempfile.mkdtemp(prefix=f"{agent.name}-{scenario.name}-", dir=options.work))
        self.mark = self.folder.name
        self.server = Server()
        if options.dump:
            self.server.dump = open(self.folder / "requests.jsonl", "w")
        for name in ("home", "data", "tmp", "config/draft", "repo"):
            (self.folder / name).mkdir(parents=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        home = self.folder / "home"
        self.env = {
            "HOME": str(home), "DRAFT_DATA_DIR": str(self.folder / "data"), "XDG_CONFIG_HOME": str(self.folder / "config"),
            "TMPDIR": str(self.folder / "tmp"), "PATH": options.path, "LANG": "C.UTF-8", "USER": "lab",
            "SHELL": "/bin/bash", MARK: self.mark, **QUIET, **GIT, **agent.ready(home, self.server.url)}
        self.make_repository()
        self.settings()
        first = before(agent.name, self.server.url)
        if first:
            self.call(first, check=True)

    def make_repository(self):
        repo = self.folder / "repo"
        (repo / "calc.py").write_text(CALC)
        (repo / "test_calc.py").write_text(TEST)
        (repo / ".gitignore").write_text("__pycache__/\n")
        for line in ("git init -q -b main", "git add -A", "git commit -qm first"):
            self.call(line.split(), check=True)
        # What a person has not committed yet must be there afterwards, too.
        (repo / "mine.txt").write_text("not committed\n")

    def settings(self):
        s, slow = self.scenario, self.agent.slow * self.options.patience
        execute = {"retries": 0, "retry_delay": 1, "stop_grace": 2, "timeout": int(s.timeout * slow),
                   "idle_timeout": int((s.idle or 120) * slow), "yolo_mode": s.yolo, "min_free_memory": 0}
        if s.yolo:
            execute["yolo_allowlist"] = [str(self.folder / "repo")]
        (self.folder / "config/draft/config.yaml").write_text(json.dumps({"execute_config": execute}))

    def call(self, line, check=False, **more):
        return subprocess.run(line, cwd=self.folder / "repo", env=self.env, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, check=check, **more)

    def draft(self, *args):
        return self.call([self.options.draft, *args])

    def json(self, *args):
        done = self.draft(*args, "--json")
        try:
            return json.loads(done.stdout)
        except ValueError:
            return {"error": done.stdout + done.stderr}

    def script(self, text):
        return text.replace("OUTSIDE", str(self.folder / "home/outside.txt"))

    def run(self):
        """Plays the scenario and returns what came of it."""
        s, started = self.scenario, time.time()
        add = ["ticket", "add", "Mend the calculator", "--state", "planned", "--agent", self.agent.name,
               "--description", self.script(s.script)]
        add += ["--model", self.agent.model] if self.agent.model else []
        add += ["--verify", s.verify] if s.verify else []
        filed = self.draft(*add)
        if filed.returncode:
            return {"state": "not filed", "reason": filed.stderr.strip(), "good": False}
        self.work(cancel=s.cancel)
        if s.tell:
            told = self.draft("ticket", "tell", "1", self.script(s.tell))
            if told.returncode:
                return {"state": "not told", "reason": told.stderr.strip(), "good": False}
            self.work()
        return self.judge(time.time() - started)

    def work(self, cancel=False):
        output = open(self.folder / "run.txt", "ab")
        run = subprocess.Popen([self.options.draft, "run", "--trust"], cwd=self.folder / "repo", env=self.env,
                               stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        if cancel:
            self.await_command(run)
            run.send_signal(signal.SIGINT)
            time.sleep(0.5)
            run.send_signal(signal.SIGINT)
        try:
            run.wait(timeout=600 * self.options.patience)
        except subprocess.TimeoutExpired:
            run.kill()

    def await_command(self, run):
        """Waits until the agent runs the long command of the script."""
        while run.poll() is None and not (self.folder / "home/outside.txt").exists():
            time.sleep(0.1)

    def judge(self, seconds):
        ticket = self.json("ticket", "show", "1")
        ticket = ticket.get("ticket", ticket)
        jobs = [job for job in ticket.get("jobs") or [] if job.get("kind") == "execute"]
        which = ["--job", jobs[-1]["id"]] if jobs else []
        log = [json.loads(line) for line in self.draft("log", "1", "--json", *which).stdout.splitlines()]
        files = sorted(line.split("\t")[-1] for line in self.draft("diff", "1", "--stat", "--json").stdout.splitlines())
        diff = self.draft("diff", "1").stdout
        left = self.left()
        state = ticket.get("state", "?") + (f" ({ticket['why']})" if ticket.get("why") else "")
        kinds = [entry.get("kind") for entry in log]
        result = {
            "agent": self.agent.name, "scenario": self.scenario.name, "state": state, "reason": ticket.get("reason"),
            "seconds": round(seconds, 1), "session": bool(jobs and jobs[-1].get("session")),
            "same_session": len({job.get("session") for job in jobs}) == 1,
            "tokens": ticket.get("tokens"), "cost": ticket.get("cost_usd"), "requests": len(self.server.seen),
            "knew": max((seen["scripts"] for seen in self.server.seen), default=0), "entries": len(log),
            "kinds": {kind: kinds.count(kind) for kind in sorted(set(kinds))}, "left": left, "diff": diff,
            "checkout": self.checkout(), "folder": str(self.folder), "files": files}
        result["wrong"] = self.wrong(result)
        result["good"] = not result["wrong"]
        self.stop(left)
        return result

    def wrong(self, result):
        """Returns what is not as it should be."""
        s, wrong = self.scenario, []
        ends = s.ends(self.agent.name)
        if result["state"] not in ends:
            wrong.append(f"state is {result['state']}, not {' or '.join(ends)}")
        if s.reason and not any(word.lower() in (result["reason"] or "").lower() for word in s.reason):
            wrong.append(f"the reason has none of {s.reason}")
        if "review" in result["state"]:
            wrong += [f"the diff lacks {part!r}" for part in s.diff if part not in result["diff"]]
        kinds = ["text"] if self.agent.plain else s.log
        wrong += [f"the log lacks {kind}" for kind in kinds if kind not in result["kinds"]]
        if result["left"]:
            wrong.append(f"left running: {result['left']}")
        if result["checkout"] != "?? mine.txt":
            wrong.append(f"the checkout was touched: {result['checkout']}")
        if s.tell and self.agent.resumes and result["knew"] < 2:
            wrong.append("the second run did not know the first prompt")
        return wrong

    def checkout(self):
        return self.call(["git", "status", "--porcelain"]).stdout.strip()

    def left(self):
        """Returns the commands of processes that carry this run's mark and still live."""
        for _ in range(20):
            found = {}
            for process in Path("/proc").iterdir():
                if not process.name.isdigit() or int(process.name) == os.getpid():
                    continue
                try:
                    if f"{MARK}={self.mark}".encode() in (process / "environ").read_bytes():
                        command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                        found[int(process.name)] = command[:120]
                except OSError:
                    continue
            if not found:
                return {}
            time.sleep(0.1)
        return found

    def stop(self, left):
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        self.server.shutdown()
        self.server.server_close()


def alone():
    """Goes on without any network but loopback, where the system lets us."""
    if os.environ.get("DRAFT_LAB_ALONE"):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=False)
        return
    for how in (["unshare", "-n"], ["unshare", "-rn"]):
        if shutil.which("unshare") and subprocess.run([*how, "true"], capture_output=True).returncode == 0:
            os.environ["DRAFT_LAB_ALONE"] = "1"
            os.execvp(how[0], [*how, sys.executable, *sys.argv])
    print("this system lets nobody leave its network; going on in it", file=sys.stderr)


def cell(result):
    state = result["state"].replace("needs_human", "needs human")
    reason = (result.get("reason") or "").splitlines()
    reason = (reason[0] if reason else "").replace("|", "\\|")
    mark = "" if result["good"] else " **✗ " + "; ".join(result.get("wrong", [])) + "**"
    return f"{state}: {reason[:160]}{mark}"


def matrix(results):
    """How each scenario ended with each agent, in a word."""
    names = list(dict.fromkeys(result["agent"] for result in results))
    ends = {(result["scenario"], result["agent"]): result for result in results}
    lines = ["| scenario | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for scenario in dict.fromkeys(result["scenario"] for result in results):
        cells = []
        for name in names:
            result = ends.get((scenario, name), {})
            state = result.get("state", "")
            word = state[state.find("(") + 1:-1] if state.endswith(")") else state
            cells.append(word if result.get("good", True) else f"**{word}**")
        lines.append(f"| {scenario} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n\n"


def table(results):
    """What Draft said about each."""
    lines = ["| agent | scenario | what Draft says | session | tokens | log | seconds |", "|---|---|---|---|---|---|---|"]
    for result in results:
        tokens = result.get("tokens") or "none"
        lines.append(f"| {result.get('agent')} | {result.get('scenario')} | {cell(result)} | "
                     f"{'yes' if result.get('session') else 'no'} | {tokens} | {result.get('entries')} | "
                     f"{result.get('seconds')} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("agents", nargs="*", help=f"which: {' '.join(AGENTS)} (default: those that are installed)")
    parser.add_argument("--scenario", action="append", help=f"which: {' '.join(s.name for s in SCENARIOS)}")
    parser.add_argument("--draft", default=str(HERE.parent.parent / "target/debug/draft"), help="the program to test")
    parser.add_argument("--path", default="", help="folders with agents' programs, before those of PATH")
    parser.add_argument("--out", default=os.path.expanduser("~/.cache/draft-lab"),
                        help="where results, table and all folders of the runs go; not below a folder for temporary "
                             "files, where some agents may write anywhere")
    parser.add_argument("--patience", type=float, default=1, help="multiplies all limits on time, for a busy machine")
    parser.add_argument("--dump", action="store_true", help="keep every request that reached the model")
    options = parser.parse_args()
    alone()
    options.path = ":".join(part for part in (options.path, os.environ["PATH"]) if part)
    options.out = Path(options.out).absolute()
    options.work = options.out / "work"
    options.work.mkdir(parents=True, exist_ok=True)
    names = options.agents or [name for name in AGENTS if shutil.which(name, path=options.path)]
    scenarios = [s for s in SCENARIOS if not options.scenario or s.name in options.scenario]
    results = []
    with open(options.out / "results.jsonl", "a") as file:
        for name in names:
            for scenario in scenarios:
                try:
                    result = Bench(options, AGENTS[name], scenario).run()
                except (OSError, ValueError, subprocess.SubprocessError) as error:
                    result = {"state": "the lab failed", "reason": str(error), "good": False}
                result = {"agent": name, "scenario": scenario.name, **result}
                results.append(result)
                file.write(json.dumps(result) + "\n")
                file.flush()
                print(f"{'ok ' if result['good'] else 'BAD'} {name} {scenario.name}: {cell(result)}", flush=True)
    (options.out / "table.md").write_text(matrix(results) + table(results))
    return 0 if all(result["good"] for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())

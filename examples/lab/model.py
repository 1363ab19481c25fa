"""A model that is a script: a small server that speaks like the services of Anthropic, OpenAI and Google.

The script stands in the prompt, as directives in double brackets. Each call is one turn of the model; what is said goes out
with the call after it, or at the end:

    [[say TEXT]]  [[read PATH]]  [[write PATH TEXT]]  [[edit PATH OLD => NEW]]  [[bash COMMAND]]
    [[error STATUS]]  [[error STATUS xTIMES]]  [[stall]]  [[cut]]      what happens in place of the next turn

Which turn it is follows from the conversation, so a client may ask again, go on in an old session, or ask twice at once.
Only what is to happen a number of times is counted here. Nothing but loopback is listened on.
"""

import gzip
import json
import re
import socket
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DIRECTIVE = re.compile(r"\[\[(say|read|write|edit|bash|error|stall|cut)\b ?(.*?)\]\]", re.S)
WORKTREE = re.compile(r"/[\w./+-]*?/worktrees/[\w+-]+/[\w+-]+")
STALL_SECONDS = 3600
USAGE = {"in": 1200, "out": 34}


# --- the script -----------------------------------------------------------------------------------------------------

class Turn:
    """What the model answers once."""

    def __init__(self, say, call, fault, index):
        self.say, self.call, self.fault, self.index = say, call, fault, index


def turns(text):
    """Reads the directives of a prompt."""
    out, say, fault = [], "", None

    def add(call):
        nonlocal say, fault
        out.append(Turn(say, call, fault, len(out)))
        say, fault = "", None

    for word, rest in DIRECTIVE.findall(text):
        if word == "say":
            say = rest
        elif word in ("stall", "cut"):
            fault = (word, None, None)
        elif word == "error":
            status, _, times = rest.partition(" x")
            fault = ("error", int(status), int(times) if times else None)
        elif word == "bash":
            add(("bash", {"command": rest}))
        elif word == "read":
            add(("read", {"path": rest}))
        elif word == "write":
            path, _, content = rest.partition(" ")
            add(("write", {"path": path, "content": content.replace("\\n", "\n") + "\n"}))
        elif word == "edit":
            path, _, change = rest.partition(" ")
            old, _, new = change.partition(" => ")
            add(("edit", {"path": path, "old": old, "new": new}))
    if say or fault or (out and out[-1].call):
        say = say or "Done."
        add(None)
    return out


# --- requests, in the words of all protocols ------------------------------------------------------------------------

class Asked:
    """One request: who said what, and which tools are offered."""

    def __init__(self, protocol, body):
        self.protocol, self.body = protocol, body
        self.stream = bool(body.get("stream"))
        self.messages = []  # (is it the model's, text)
        self.tools = []  # (name, schema, kind)
        getattr(self, "read_" + protocol)()
        self.script, self.at, scripts = [], 0, 0
        for mine, text in self.messages:
            if not mine and DIRECTIVE.search(text):
                self.script, self.at, scripts = turns(text), 0, scripts + 1
                was_mine = False
            elif self.script:
                self.at += mine and not was_mine
                was_mine = mine
        self.scripts = scripts

    def read_anthropic(self):
        for message in self.body.get("messages", []):
            self.messages.append((message["role"] == "assistant", text_of(message["content"])))
        for tool in self.body.get("tools") or []:
            self.tools.append((tool["name"], tool.get("input_schema") or {}, "function"))

    def read_chat(self):
        for message in self.body.get("messages", []):
            if message["role"] not in ("system", "developer"):
                self.messages.append((message["role"] == "assistant", text_of(message.get("content"))))
        for tool in self.body.get("tools") or []:
            function = tool.get("function") or {}
            self.tools.append((function.get("name"), function.get("parameters") or {}, "function"))

    def read_responses(self):
        items = self.body.get("input", [])
        for item in [{"role": "user", "content": items}] if isinstance(items, str) else items:
            if item.get("role") in ("system", "developer"):
                continue
            mine = item.get("role") == "assistant" or item.get("type") in (
                "function_call", "custom_tool_call", "reasoning", "local_shell_call")
            self.messages.append((mine, text_of(item.get("content"))))
        for tool in self.body.get("tools") or []:
            self.tools.append((tool.get("name"), tool.get("parameters") or {}, tool.get("type")))

    def read_gemini(self):
        for content in self.body.get("contents", []):
            self.messages.append((content.get("role") == "model", text_of(content.get("parts"))))
        for group in self.body.get("tools") or []:
            for tool in group.get("functionDeclarations") or []:
                schema = tool.get("parametersJsonSchema") or tool.get("parameters") or {}
                self.tools.append((tool["name"], schema, "function"))

    def edits_in_text(self):
        """Aider's way: the model writes its edits into its answer."""
        return not self.tools and "SEARCH/REPLACE" in json.dumps(self.body)

    def is_main(self):
        """Titles, summaries and the like are asked for beside the work, and follow no script."""
        return bool(self.script) and (len(self.tools) > 1 or self.edits_in_text()
                                      or any(kind == "custom" for _, _, kind in self.tools))

    def place(self):
        """The worktree's path, where the client tells it: some tools take absolute paths only."""
        found = WORKTREE.search(json.dumps(self.body))
        return found.group(0) if found else None


def text_of(content):
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text") or "" for part in content or [] if isinstance(part, dict))


# --- tools ----------------------------------------------------------------------------------------------------------

NAMES = {
    "read": ["Read", "read", "read_file", "view", "ReadFile", "read_files"],
    "write": ["Write", "write", "write_file", "create", "Create", "WriteFile", "write_to_file", "editor"],
    "edit": ["Edit", "edit", "replace", "StrReplaceFile", "str_replace", "editor"],
    "bash": ["Bash", "bash", "run_shell_command", "Execute", "run_commands", "Shell", "shell", "exec_command",
             "shell_command", "execute_command"],
}
FIELDS = {
    "path": ["file_path", "filePath", "path", "filename", "absolute_path", "paths", "files"],
    "content": ["content", "file_text", "contents", "new_text", "text"],
    "old": ["old_string", "oldString", "old_str", "old_text", "oldText", "old"],
    "new": ["new_string", "newString", "new_str", "new_text", "newText", "new"],
    "command": ["command", "cmd", "commands", "script"],
}


def call_for(asked, op, values):
    """Returns the tool call for something to do: (name, arguments or text); nothing when no tool fits."""
    offered = {name: (schema, kind) for name, schema, kind in asked.tools}
    if "path" in values and asked.place() and not values["path"].startswith("/"):
        values = {**values, "path": f"{asked.place()}/{values['path']}"}
    if "apply_patch" in offered and op in ("write", "edit") and offered["apply_patch"][1] == "custom":
        return "apply_patch", patch(op, values)
    if offered.get("exec", (None, None))[1] == "custom":
        return "exec", javascript(op, values)
    for name in NAMES[op]:
        if name in offered:
            return name, arguments(offered[name][0], op, values)
    if op == "bash":
        return None
    # What has only a shell edits with it.
    return call_for(asked, "bash", {"command": shell_edit(op, values)})


def patch(op, values):
    if op == "write":
        lines = ["*** Add File: " + values["path"]] + ["+" + line for line in values["content"].splitlines()]
    else:
        lines = ["*** Update File: " + values["path"], "@@", "-" + values["old"], "+" + values["new"]]
    return "\n".join(["*** Begin Patch", *lines, "*** End Patch", ""])


def javascript(op, values):
    if op in ("bash", "read"):
        command = values.get("command") or f"cat '{values['path']}'"
        return f"text(await tools.exec_command({json.dumps({'cmd': command})}))"
    return f"text(await tools.apply_patch({json.dumps(patch(op, values))}))"


def shell_edit(op, values):
    path = values["path"]
    if op == "read":
        return f"cat '{path}'"
    if op == "write":
        return f"mkdir -p \"$(dirname '{path}')\" && cat > '{path}' <<'END'\n{values['content']}END"
    return f"sed -i 's|^{values['old']}$|{values['new']}|' '{path}'"


def arguments(schema, op, values):
    """Fills a tool's parameters: those that are meant, and whatever else it requires."""
    properties, out = schema.get("properties") or {}, {}
    for meaning, value in values.items():
        field = next((name for name in FIELDS[meaning] if name in properties), None)
        if field:
            items = properties[field].get("items") or {}
            if properties[field].get("type") != "array":
                out[field] = value
            elif items.get("type") == "object":
                out[field] = [arguments(items, op, {meaning: value})]
            else:
                out[field] = [value]
    edits = (properties.get("edits") or {}).get("items") or {}
    if op == "edit" and edits.get("properties"):
        out["edits"] = [arguments(edits, "", {"old": values["old"], "new": values["new"]})]
    if "command" in properties and "enum" in properties["command"]:
        out["command"] = "create" if op == "write" else "str_replace"
    for name in schema.get("required") or []:
        if name not in out:
            out[name] = filled(properties.get(name) or {})
    return out


def filled(schema):
    """A value that fits a schema."""
    if schema.get("enum"):
        return "user" if "user" in schema["enum"] else schema["enum"][0]
    kind = str(schema.get("type", "string")).lower()
    if kind == "object":
        properties = schema.get("properties") or {}
        return {name: filled(properties.get(name) or {}) for name in schema.get("required") or properties}
    return {"boolean": False, "integer": 60, "number": 60, "array": []}.get(kind, "A scripted step")


def text_edits(turn):
    """Edits as Aider's model writes them."""
    op, values = turn.call
    if op == "read":
        return ""
    if op == "bash":
        return f"```bash\n{values['command']}\n```"
    old, new = ("", values["content"]) if op == "write" else (values["old"] + "\n", values["new"] + "\n")
    return f"{values['path']}\n```\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n```"


# --- answers --------------------------------------------------------------------------------------------------------

class Answer:
    """What goes out: a text, and perhaps one call of a tool."""

    def __init__(self, text, call=None):
        self.text, self.call = text, call


def answer(asked):
    """Returns what the model says, and the turn of the script that it is."""
    if not asked.is_main():
        return beside(asked), None
    if asked.edits_in_text():
        # All edits in one answer: this client asks again only about what it could not apply.
        texts = [f"{turn.say}\n\n{text_edits(turn) if turn.call else ''}" for turn in asked.script]
        text = "\n".join(texts) if asked.at == 0 else "Done."
        return Answer(text), next((turn for turn in asked.script if turn.fault), None)
    if asked.at >= len(asked.script):
        return Answer("Done."), None
    turn = asked.script[asked.at]
    if turn.call is None:
        return Answer(turn.say), turn
    call = call_for(asked, *turn.call)
    if call is None:
        return Answer(f"{turn.say} I have no tool with which I may do this: {turn.call[0]}.".strip()), turn
    return Answer(turn.say, call), turn


def beside(asked):
    schema = (asked.body.get("generationConfig") or {}).get("responseJsonSchema") \
        or (asked.body.get("generationConfig") or {}).get("responseSchema") \
        or ((asked.body.get("response_format") or {}).get("json_schema") or {}).get("schema") \
        or ((asked.body.get("output_config") or {}).get("format") or {}).get("schema")
    if schema:
        return Answer(json.dumps(filled({**schema, "type": "object"})))
    if len(asked.tools) == 1 and not asked.script:
        name, schema, _ = asked.tools[0]
        return Answer("", (name, filled({**schema, "type": "object"})))
    return Answer("A scripted task")


class Server(ThreadingHTTPServer):
    """The model's service. `seen` has a line for each request of the work itself."""

    daemon_threads = True

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.seen, self.counts, self.lock, self.dump = [], {}, threading.Lock(), None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def fault(self, asked, turn):
        """Says what goes wrong this time, if anything does."""
        if not turn or not turn.fault:
            return None
        kind, status, times = turn.fault
        key = (asked.scripts, turn.index)
        with self.lock:
            self.counts[key] = self.counts.get(key, 0) + 1
            over = times is not None and self.counts[key] > times
        return None if over else (kind, status)

    def handle_error(self, request, client_address):
        """A client that hangs up is part of the play."""


class Handler(BaseHTTPRequestHandler):
    """Reads a request of any protocol and plays the answer."""

    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *args):
        pass

    def do_GET(self):
        models = [{"id": name, "object": "model", "name": name, "type": "model"} for name in ("scripted-model",)]
        self.reply(200, {"object": "list", "data": models, "models": models})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        try:
            body = json.loads(body or b"{}")
        except ValueError:
            return self.reply(400, {"error": {"message": "no JSON"}})
        path = self.path.split("?")[0]
        if path.endswith("count_tokens") or path.endswith(":countTokens"):
            return self.reply(200, {"input_tokens": 100, "totalTokens": 100})
        if path.endswith("/messages"):
            protocol = "anthropic"
        elif path.endswith("/chat/completions"):
            protocol = "chat"
        elif path.endswith("/responses"):
            protocol = "responses"
        elif ":generateContent" in path or ":streamGenerateContent" in path:
            protocol = "gemini"
            body["stream"] = ":streamGenerateContent" in path
        else:
            return self.reply(404, {"error": {"message": f"nothing at {path}"}})
        self.play(Asked(protocol, body))

    def play(self, asked):
        what, turn = answer(asked)
        fault = self.server.fault(asked, turn)
        if turn or asked.is_main():
            said = {"at": asked.at, "scripts": asked.scripts, "fault": fault, "call": what.call and what.call[0],
                    "tools": [name for name, _, _ in asked.tools], "time": time.time()}
            with self.server.lock:
                self.server.seen.append(said)
                if self.server.dump:
                    self.server.dump.write(json.dumps({**said, "body": asked.body}) + "\n")
                    self.server.dump.flush()
        if fault and fault[0] == "error":
            return self.fail(asked, fault[1])
        events = list(getattr(self, "say_" + asked.protocol)(asked, what))
        if not asked.stream and not fault:
            return self.reply(200, events[-1])
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if fault:
            events = events[:max(1, len(events) // 2)] if asked.stream else ["{"]
        for event in events[:-1] if not fault else events:
            self.chunk(event)
        if not fault:
            return self.wfile.write(b"0\r\n\r\n")
        if fault[0] == "stall":
            return self.wait_for_hang_up()
        # A reset, not a tidy end.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def wait_for_hang_up(self):
        self.connection.settimeout(STALL_SECONDS)
        try:
            self.connection.recv(1)
        except OSError:
            pass
        self.close_connection = True

    def chunk(self, event):
        data = event if isinstance(event, bytes) else event.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def reply(self, status, value, headers=None):
        data = json.dumps(value).encode()
        self.send_response(status)
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def fail(self, asked, status):
        kind, message = {
            401: ("authentication_error", "the scripted key is not valid"),
            429: ("rate_limit_error", "too many requests, says the script"),
        }.get(status, ("api_error", "the scripted service is broken"))
        error = {"type": kind, "message": message, "code": kind}
        if asked.protocol == "gemini":
            names = {401: "UNAUTHENTICATED", 429: "RESOURCE_EXHAUSTED"}
            error = {"code": status, "message": message, "status": names.get(status, "INTERNAL")}
        # Services say when to come back, and some clients ask again only then.
        self.reply(status, {"type": "error", "error": error}, {"Retry-After": "1"} if status == 429 else {})

    # Each of these gives the events of a stream, then the same as one object.

    def say_anthropic(self, asked, what):
        blocks, n = [], 0
        whole = {"id": call_id("msg_", asked), "type": "message", "role": "assistant", "model": asked.body.get("model"),
                 "stop_reason": None, "stop_sequence": None, "content": [],
                 "usage": {"input_tokens": USAGE["in"], "output_tokens": 1}}
        event = lambda kind, **more: f"event: {kind}\ndata: {json.dumps({'type': kind, **more})}\n\n"
        yield event("message_start", message=dict(whole))
        if what.text:
            blocks.append({"type": "text", "text": what.text})
            yield event("content_block_start", index=n, content_block={"type": "text", "text": ""})
            for piece in pieces(what.text):
                yield event("content_block_delta", index=n, delta={"type": "text_delta", "text": piece})
            yield event("content_block_stop", index=n)
            n += 1
        if what.call:
            block = {"type": "tool_use", "id": call_id("toolu_", asked), "name": what.call[0], "input": what.call[1]}
            blocks.append(block)
            yield event("content_block_start", index=n, content_block={**block, "input": {}})
            for piece in pieces(json.dumps(what.call[1])):
                yield event("content_block_delta", index=n, delta={"type": "input_json_delta", "partial_json": piece})
            yield event("content_block_stop", index=n)
        stop = "tool_use" if what.call else "end_turn"
        usage = {"input_tokens": USAGE["in"], "output_tokens": USAGE["out"]}
        yield event("message_delta", delta={"stop_reason": stop, "stop_sequence": None}, usage=usage)
        yield event("message_stop")
        yield {**whole, "content": blocks, "stop_reason": stop, "usage": usage}

    def say_chat(self, asked, what):
        head = {"id": call_id("chatcmpl-", asked), "created": int(time.time()), "model": asked.body.get("model")}
        stop = "tool_calls" if what.call else "stop"
        usage = {"prompt_tokens": USAGE["in"], "completion_tokens": USAGE["out"],
                 "total_tokens": USAGE["in"] + USAGE["out"]}
        message = {"role": "assistant", "content": what.text or None}

        def chunk(delta, reason=None, **more):
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            return f"data: {json.dumps({**head, 'object': 'chat.completion.chunk', 'choices': [choice], **more})}\n\n"

        yield chunk({"role": "assistant", "content": ""})
        for piece in pieces(what.text):
            yield chunk({"content": piece})
        if what.call:
            function = {"name": what.call[0], "arguments": json.dumps(what.call[1])}
            call = {"id": call_id("call_", asked), "type": "function", "function": function}
            message["tool_calls"] = [call]
            yield chunk({"tool_calls": [{"index": 0, **call, "function": {**function, "arguments": ""}}]})
            for piece in pieces(function["arguments"]):
                yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
        yield chunk({}, stop)
        yield f"data: {json.dumps({**head, 'object': 'chat.completion.chunk', 'choices': [], 'usage': usage})}\n\n"
        yield "data: [DONE]\n\n"
        choice = {"index": 0, "message": message, "finish_reason": stop}
        yield {**head, "object": "chat.completion", "choices": [choice], "usage": usage}

    def say_responses(self, asked, what):
        number = iter(range(1000))
        whole = {"id": f"resp_{time.time_ns()}", "object": "response", "model": asked.body.get("model"),
                 "created_at": int(time.time()), "status": "in_progress", "output": []}
        event = lambda kind, **more: \
            f"event: {kind}\ndata: {json.dumps({'type': kind, 'sequence_number': next(number), **more})}\n\n"
        yield event("response.created", response=whole)
        output = []
        if what.text:
            item = {"type": "message", "id": call_id("msg_", asked), "role": "assistant", "status": "in_progress",
                    "content": []}
            at = {"item_id": item["id"], "output_index": 0, "content_index": 0}
            part = {"type": "output_text", "text": what.text, "annotations": []}
            yield event("response.output_item.added", output_index=0, item=item)
            yield event("response.content_part.added", part={**part, "text": ""}, **at)
            for piece in pieces(what.text):
                yield event("response.output_text.delta", delta=piece, **at)
            yield event("response.output_text.done", text=what.text, **at)
            yield event("response.content_part.done", part=part, **at)
            output.append({**item, "status": "completed", "content": [part]})
            yield event("response.output_item.done", output_index=0, item=output[-1])
        if what.call:
            name, given = what.call
            item = {"id": call_id("fc_", asked), "call_id": call_id("call_", asked), "name": name,
                    "status": "completed"}
            item |= {"type": "custom_tool_call", "input": given} if isinstance(given, str) else \
                {"type": "function_call", "arguments": json.dumps(given)}
            yield event("response.output_item.added", output_index=len(output), item=item)
            yield event("response.output_item.done", output_index=len(output), item=item)
            output.append(item)
        usage = {"input_tokens": USAGE["in"], "output_tokens": USAGE["out"],
                 "total_tokens": USAGE["in"] + USAGE["out"], "input_tokens_details": {"cached_tokens": 0},
                 "output_tokens_details": {"reasoning_tokens": 0}}
        whole = {**whole, "status": "completed", "output": output, "usage": usage}
        yield event("response.completed", response=whole)
        yield whole

    def say_gemini(self, asked, what):
        usage = {"promptTokenCount": USAGE["in"], "candidatesTokenCount": USAGE["out"],
                 "totalTokenCount": USAGE["in"] + USAGE["out"]}

        def whole(parts, **more):
            return {"candidates": [{"content": {"role": "model", "parts": parts}, "index": 0, **more}],
                    "usageMetadata": usage, "modelVersion": "scripted-model"}

        parts = [{"text": piece} for piece in pieces(what.text)]
        if what.call:
            parts.append({"functionCall": {"name": what.call[0], "args": what.call[1]}})
        for part in parts[:-1]:
            yield f"data: {json.dumps(whole([part]))}\r\n\r\n"
        yield f"data: {json.dumps(whole(parts[-1:], finishReason='STOP'))}\r\n\r\n"
        yield whole(parts, finishReason="STOP")


def pieces(text, size=12):
    """Cuts a text as a model's stream would."""
    return [text[at:at + size] for at in range(0, len(text), size)]


def call_id(prefix, asked):
    return f"{prefix}{asked.scripts}_{asked.at}_{time.time_ns() % 10**9}"


if __name__ == "__main__":
    server = Server(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(server.url, flush=True)
    server.serve_forever()

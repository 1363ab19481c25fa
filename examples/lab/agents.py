"""How each agent is pointed at the scripted model: variables, and files in a home of its own."""

import json
from pathlib import Path

KEY = "no-real-key"
QUIET = {"DO_NOT_TRACK": "1", "NO_COLOR": "1", "TERM": "dumb"}
# A provider that speaks the protocol of OpenAI's chat, as several agents' files name it.
MODEL = "scripted-model"


class Agent:
    """An agent: its name for Draft, and what makes its home ready."""

    def __init__(self, name, ready, model=None, slow=1.0, resumes=True, plain=False):
        self.name, self.ready, self.model = name, ready, model
        # Some cannot go on in a session: they are told the whole task again.
        self.resumes = resumes
        # Some print plain lines, of which nobody can say what they are.
        self.plain = plain
        # Some take many times longer to start than others, and limits on silence must bear it.
        self.slow = slow


def write(home, path, content):
    file = Path(home) / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content))


def claude(home, url):
    return {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": KEY, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_TELEMETRY": "1", "DISABLE_ERROR_REPORTING": "1", "CLAUDE_CODE_MAX_RETRIES": "3", "IS_SANDBOX": "1"}


def codex(home, url):
    write(home, ".codex/config.toml", f"""
model = "gpt-5.5"
model_provider = "scripted"
check_for_update_on_startup = false
[analytics]
enabled = false
[model_providers.scripted]
name = "scripted"
base_url = "{url}/v1"
env_key = "SCRIPTED_KEY"
wire_api = "responses"
""")
    return {"SCRIPTED_KEY": KEY, "CODEX_HOME": f"{home}/.codex"}


def opencode_settings(url):
    models = {MODEL: {"name": "scripted", "limit": {"context": 200000, "output": 32000}}}
    provider = {"npm": "@ai-sdk/openai-compatible", "name": "scripted", "models": models,
                "options": {"baseURL": f"{url}/v1", "apiKey": KEY}}
    return {"autoupdate": False, "share": "disabled", "model": f"scripted/{MODEL}",
            "small_model": f"scripted/{MODEL}", "provider": {"scripted": provider}}


def opencode(home, url):
    write(home, "opencode.json", opencode_settings(url))
    return {"OPENCODE_CONFIG": f"{home}/opencode.json", "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
            "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1"}


def kilo(home, url):
    write(home, "kilo.json", opencode_settings(url))
    return {"KILO_CONFIG": f"{home}/kilo.json", "KILO_DISABLE_AUTOUPDATE": "1", "KILO_DISABLE_MODELS_FETCH": "1",
            "KILO_TELEMETRY_LEVEL": "off"}


def gemini(home, url):
    write(home, ".gemini/settings.json", {
        "general": {"disableAutoUpdate": True, "disableUpdateNag": True, "enableAutoUpdate": False},
        "privacy": {"usageStatisticsEnabled": False}, "telemetry": {"enabled": False},
        "security": {"auth": {"selectedType": "gemini-api-key"}}, "model": {"name": "gemini-2.5-pro"}})
    return {"GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": url, "GEMINI_TELEMETRY_ENABLED": "false"}


def qwen(home, url):
    write(home, ".qwen/settings.json", {
        "general": {"disableAutoUpdate": True, "enableAutoUpdate": False},
        "privacy": {"usageStatisticsEnabled": False}, "security": {"auth": {"selectedType": "openai"}}})
    return {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{url}/v1", "OPENAI_MODEL": MODEL,
            "QWEN_TELEMETRY_ENABLED": "false"}


def copilot(home, url):
    return {"COPILOT_PROVIDER_TYPE": "openai", "COPILOT_PROVIDER_BASE_URL": f"{url}/v1", "COPILOT_MODEL": MODEL,
            "COPILOT_PROVIDER_API_KEY": KEY, "COPILOT_OFFLINE": "true", "COPILOT_AUTO_UPDATE": "false"}


def droid(home, url):
    own = {"model": MODEL, "displayName": "scripted", "baseUrl": f"{url}/v1", "apiKey": KEY,
           "provider": "generic-chat-completion-api", "maxOutputTokens": 8000}
    write(home, ".factory/settings.json",
          {"customModels": [own], "enableDroidShield": False, "cloudSessionSync": False})
    return {"FACTORY_API_KEY": f"fk-{KEY}", "FACTORY_API_BASE_URL": url, "FACTORY_DROID_AUTO_UPDATE_ENABLED": "false"}


def cline(home, url):
    return {"CLINE_DIR": f"{home}/.cline", "CLINE_NO_AUTO_UPDATE": "1", "CLINE_TELEMETRY_DISABLED": "1"}


def kimi(home, url):
    write(home, ".kimi-code/config.toml", f"""
default_model = "scripted"
telemetry = false
[providers.scripted]
type = "openai"
base_url = "{url}/v1"
api_key = "{KEY}"
[models.scripted]
provider = "scripted"
model = "{MODEL}"
max_context_size = 200000
capabilities = ["tool_use"]
""")
    write(home, ".kimi-code/tui.toml", "[upgrade]\nauto_install = false\n")
    return {"KIMI_CODE_HOME": f"{home}/.kimi-code", "KIMI_DISABLE_TELEMETRY": "1", "KIMI_CODE_NO_AUTO_UPDATE": "1"}


def pi(home, url):
    own = {"id": MODEL, "name": "scripted", "reasoning": False, "input": ["text"], "contextWindow": 200000,
           "maxTokens": 8000, "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0}}
    provider = {"baseUrl": f"{url}/v1", "api": "openai-completions", "apiKey": KEY, "models": [own]}
    write(home, ".pi/agent/models.json", {"providers": {"scripted": provider}})
    write(home, ".pi/agent/settings.json", {"defaultProvider": "scripted", "defaultModel": MODEL})
    return {"PI_OFFLINE": "1", "PI_TELEMETRY": "0", "PI_SKIP_VERSION_CHECK": "1"}


def aider(home, url):
    return {"OPENAI_API_KEY": KEY, "OPENAI_API_BASE": f"{url}/v1", "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "AIDER_ANALYTICS": "false", "AIDER_SHOW_MODEL_WARNINGS": "false", "AIDER_EDIT_FORMAT": "diff"}


AGENTS = {agent.name: agent for agent in [
    Agent("claude", claude),
    Agent("codex", codex),
    Agent("opencode", opencode, slow=3),
    Agent("kilo", kilo, slow=5),
    Agent("gemini", gemini, slow=1.5),
    Agent("qwen", qwen, slow=2),
    Agent("copilot", copilot),
    Agent("droid", droid, model=f"custom:{MODEL}"),
    Agent("cline", cline, slow=2, resumes=False),
    Agent("kimi", kimi, slow=1.5),
    Agent("pi", pi),
    Agent("aider", aider, model=f"openai/{MODEL}", slow=1.5, resumes=False, plain=True),
]}


def before(name, url):
    """A command that the agent needs once in a new home; nothing for most."""
    if name == "cline":
        return ["cline", "auth", "-p", "openai-compatible", "-k", KEY, "-m", MODEL, "-b", f"{url}/v1"]
    return None

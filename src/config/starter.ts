/**
 * The px.yaml a new home gets: Telegram prepared and switched off, with the only grants a new home has; the rest is comments,
 * and with the leading `# ` of the indented examples taken away it is valid too: a test does that.
 */
export const starterConfig = `# px.yaml: how this px behaves. Everything here has a default; px runs with an empty file.
# Changes take effect when you save. \`px config check\` tells mistakes, \`px config explain KEY\` tells what a key does.
# Secrets do not belong here: \`px secret set NAME\` keeps them encrypted, \`secret:NAME\` or \`\${NAME}\` refers to them.

# model:
#   default: auto              # provider/model, an alias, or auto: the first provider with a key, then Ollama, then offline
#   aliases:
#     fast: openai/gpt-5-mini
#     local: ollama/qwen3:4b

# providers:
#   openai:
#     api_key: secret:OPENAI_API_KEY
#     base_url: https://api.openai.com/v1   # or any server that speaks the same API

# Telegram: px secret set TELEGRAM_TOKEN, then px config set channels.telegram.enabled true
# Discord: px secret set DISCORD_TOKEN, px plugin add discord, then px config set channels.discord.enabled true
channels:
  telegram:
    enabled: false
    access: pairing            # who is answered: pairing, allow-list or open

# What a plugin may reach. Nothing else: no line here, no access.
plugins:
  telegram:
    settings:
      token: secret:TELEGRAM_TOKEN
    grants:
      egress: ["GET,POST https://api.telegram.org/bot", "GET https://api.telegram.org/file/bot"]
      secrets:
        TELEGRAM_TOKEN: ["https://api.telegram.org/bot", "https://api.telegram.org/file/bot"]

# Tools of MCP servers. A program runs with all your rights, not in the sandbox of plugins.
# mcp:
#   servers:
#     files:
#       command: npx
#       args: ["-y", "@modelcontextprotocol/server-filesystem", "/home/me/notes"]

# gateway:
#   host: 127.0.0.1            # anything but loopback exposes px to your network
#   port: 7979

# agent:
#   max_steps: 24              # most model calls in one turn
#   tools:
#     deny: []                 # tools the agent may not call; * matches any part of a name

# log:
#   level: info                # debug, info, warn or error
`;

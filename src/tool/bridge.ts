import type { PluginTool } from '../plugin/plugin.ts';
import type { McpTool } from './mcp/mcp.ts';
import type { Tool } from './tool.ts';

/** Longest description of a plugin's tool a model is told: a plugin must not fill the prompt. */
const DESCRIPTION = 300;

/** A plugin's tool as one of px's own: same checks, same bounds. */
export function pluginTool(tool: PluginTool): Tool {
  return {
    name: tool.name,
    description:
      tool.description.length > DESCRIPTION ? `${tool.description.slice(0, DESCRIPTION - 1)}…` : tool.description,
    parameters: tool.parameters,
    origin: `plugin/${tool.plugin}`,
    reach: 'sends',
    outside: `plugin/${tool.plugin}`,
    run: (args, context) => tool.call(args, context.signal),
    soon: tool.soon,
  };
}

/** An MCP server's tool as one of px's own: same policy, same checks, same bounds. */
export function mcpTool(tool: McpTool): Tool {
  const outside = `mcp/${tool.server}`;
  return {
    name: tool.name,
    description: tool.description,
    parameters: tool.parameters,
    origin: `mcp/${tool.server}`,
    reach: 'sends',
    outside,
    run: async (args, context) => ({ ...(await tool.call(args, context.signal)), outside: [outside] }),
  };
}

import type { ConfigStore } from '../config/config.ts';
import { PxError } from '../error/error.ts';
import type { Log } from '../log/log.ts';
import type { Memory } from '../memory/memory.ts';
import type { Plugins, PluginTool } from '../plugin/plugin.ts';
import { toolAllowed } from '../policy/policy.ts';
import type { Secrets } from '../secret/secret.ts';
import type { ToolCallPart } from '../wire/wire.ts';
import { orAborted } from './aborted.ts';
import { checkArguments } from './arguments.ts';
import { mcpTool, pluginTool } from './bridge.ts';
import { memoryGet } from './builtin/memory-get.ts';
import { memorySearch } from './builtin/memory-search.ts';
import { memoryWrite } from './builtin/memory-write.ts';
import type { Mcp, McpTool } from './mcp/mcp.ts';
import { elide, errorText, toolResult } from './result.ts';
import type { Tool, ToolContext, Tools } from './tool.ts';

/** What {@link createTools} is made from. */
interface ToolsOptions {
  memory: Memory;
  plugins: Pick<Plugins, 'tools'>;
  /** Left out where there are no MCP servers. */
  mcp?: Pick<Mcp, 'tools'>;
  config: Pick<ConfigStore, 'current'>;
  secrets: Pick<Secrets, 'scrub'>;
  log: Log;
  /** Further tools of px's own; a list that is another one when they change. */
  more?: () => readonly Tool[];
}

const nothing: readonly Tool[] = [];

/** Makes the registry: px's own tools first, then those of enabled plugins and of MCP servers, each by name. */
export function createTools({ memory, plugins, mcp, config, secrets, log, more }: ToolsOptions): Tools {
  const own = [memorySearch(memory), memoryGet(memory), memoryWrite(memory)];
  const shadowed = new Set<string>();

  let made: { of: PluginTool[]; served: McpTool[]; added: readonly Tool[]; list: Tool[] } | undefined;
  /** Made again when the plugins' or the servers' tools are others. */
  const list = (): Tool[] => {
    const of = plugins.tools();
    const served = mcp?.tools() ?? noTools;
    const added = more?.() ?? nothing;
    if (made?.of !== of || made.served !== served || made.added !== added)
      made = { of, served, added, list: combine(of, served, added) };
    return made.list;
  };
  const combine = (of: PluginTool[], served: McpTool[], added: readonly Tool[]): Tool[] => {
    const tools = new Map([...own, ...added].map((tool) => [tool.name, tool]));
    for (const tool of [...of.toSorted(byName).map(pluginTool), ...served.toSorted(byName).map(mcpTool)]) {
      if (!tools.has(tool.name)) tools.set(tool.name, tool);
      else if (!shadowed.has(`${tool.origin}/${tool.name}`)) {
        shadowed.add(`${tool.origin}/${tool.name}`);
        log.warn(`tool ${tool.name} of ${tool.origin.replace('/', ' ')} is left out: the name is taken`);
      }
    }
    return [...tools.values()];
  };
  const verdict = (name: string) => toolAllowed(config.current.agent.tools.deny, name);

  const call = async (part: ToolCallPart, context: ToolContext): Promise<string> => {
    const tools = list();
    const tool = tools.find((one) => one.name === part.name);
    if (!tool)
      throw new PxError('tool.unknown', `There is no tool "${part.name}".`, {
        hint: `Tools: ${tools.map((one) => one.name).join(', ')}`,
      });
    const allowed = verdict(tool.name);
    if (!allowed.allow)
      throw new PxError('policy.denied', `${tool.name} may not be called: ${allowed.reason}`, {
        hint: 'Answer without it, or tell the person that `agent.tools.deny` in px.yaml forbids it.',
      });
    const problems = checkArguments(tool.parameters, part.args);
    if (problems.length > 0)
      throw new PxError('tool.arguments', `${tool.name}: ${problems.join('; ')}.`, { hint: 'Correct the arguments.' });
    context.signal.throwIfAborted();
    return orAborted(tool.run(part.args, context), context.signal);
  };

  return {
    list,
    specs: () =>
      list()
        .filter((tool) => verdict(tool.name).allow)
        .map(({ name, description, parameters }) => ({ name, description, parameters })),
    async run(part, context) {
      const begun = performance.now();
      let text: string;
      let isError = false;
      try {
        text = await call(part, context);
      } catch (thrown) {
        isError = true;
        text = errorText(context.signal.aborted ? new PxError('interrupted', 'The turn was stopped.') : thrown);
      }
      // Scrubbed before it is cut: half a secret at the cut would not be recognised.
      const result = toolResult(part, elide(secrets.scrub(text)) || '(no output)', isError);
      const ms = Math.round((performance.now() - begun) * 100) / 100;
      log.debug(`${part.name} ${isError ? 'failed' : 'done'}`, { ms });
      return { result, ms };
    },
  };
}

const noTools: McpTool[] = [];
const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);

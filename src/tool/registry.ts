import type { ConfigStore } from '../config/config.ts';
import { PxError } from '../error/error.ts';
import type { Log } from '../log/log.ts';
import type { Memory } from '../memory/memory.ts';
import type { Plugins, PluginTool } from '../plugin/plugin.ts';
import {
  isQuoted,
  type Judgement,
  judgeTool,
  parseEgress,
  parseFolder,
  type Reach,
  type TurnFrom,
  toolAllowed,
} from '../policy/policy.ts';
import type { Secrets } from '../secret/secret.ts';
import type { ConversationId, JsonObject, ToolCallPart } from '../wire/wire.ts';
import { orAborted, stopped } from './aborted.ts';
import { checkArguments } from './arguments.ts';
import { mcpTool, pluginTool } from './bridge.ts';
import { memoryGet } from './builtin/memory-get.ts';
import { memorySearch } from './builtin/memory-search.ts';
import { memoryWrite } from './builtin/memory-write.ts';
import type { Mcp, McpTool } from './mcp/mcp.ts';
import { elide, errorText, toolResult } from './result.ts';
import type { Labelled, Tool, ToolContext, ToolRun, Tools } from './tool.ts';

/** What {@link createTools} is made from. */
interface ToolsOptions {
  memory: Memory;
  plugins: Pick<Plugins, 'tools'> & Partial<Pick<Plugins, 'list'>>;
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
    for (const tool of [...of.toSorted(byName).map(bridged), ...served.toSorted(byName).map(mcpTool)]) {
      if (!tools.has(tool.name)) tools.set(tool.name, tool);
      else if (!shadowed.has(`${tool.origin}/${tool.name}`)) {
        shadowed.add(`${tool.origin}/${tool.name}`);
        log.warn(`tool ${tool.name} of ${tool.origin.replace('/', ' ')} is left out: the name is taken`);
      }
    }
    return [...tools.values()];
  };
  /** The reach of a plugin's tool follows its grants as they are now; the one it was made with is for other tools. */
  const bridged = (tool: PluginTool): Tool => {
    const made = pluginTool(tool);
    const egress = () => config.current.plugins[tool.plugin]?.grants.egress ?? [];
    const folders = () => Object.values(config.current.plugins[tool.plugin]?.grants.files ?? {});
    // What px carries and what reaches neither network nor files tells nothing but its own words.
    const carried = once(
      () => plugins.list?.().some(({ name, source }) => name === tool.plugin && source === `px:${name}`) ?? false,
    );
    const own = () => egress().length === 0 && folders().length === 0 && carried();
    return {
      ...made,
      reach: () => reachOf(egress(), folders()),
      get outside() {
        return own() ? undefined : made.outside;
      },
    };
  };
  const judge = (tool: Tool, args: JsonObject, context: ToolContext, labels: string[]): Judgement => {
    const allowed = toolAllowed(config.current.agent.tools.deny, tool.name);
    if (!allowed.allow) return { do: 'deny', reason: allowed.reason };
    const reach = typeof tool.reach === 'function' ? tool.reach(args) : tool.reach;
    const quoted = labels.length > 0 && reach === 'asks' && isQuoted(args, () => context.texts?.() ?? []);
    const { name, origin, wants } = tool;
    const { conversation, from = 'owner' } = context;
    return judgeTool({ tool: name, origin, reach, wants, conversation, from, labels, quoted }, config.current.policy);
  };
  /** Lets a call go on, or throws `policy.denied`. Asks a person when that is needed. */
  const permit = async (tool: Tool, args: JsonObject, context: ToolContext): Promise<void> => {
    const judged = judge(tool, args, context, context.labels?.() ?? []);
    if (judged.do === 'allow') return;
    const answer = judged.do === 'ask' ? await context.ask?.(tool, judged.reason) : undefined;
    context.signal.throwIfAborted();
    if (!answer)
      throw new PxError(
        'policy.denied',
        `${tool.name} may not be called: ${judged.do === 'ask' ? `it needs a person's word and nobody can be asked here, for ${judged.reason}` : judged.reason}`,
        { hint: 'Answer without it, or tell the person that px.yaml forbids it (agent.tools.deny, policy).' },
      );
    if (answer.decision === 'expired')
      throw new PxError('policy.denied', `${tool.name} was not called: nobody allowed it in time.`, {
        hint: 'Tell the person what you wanted to do; they can ask for it again.',
      });
    if (answer.decision === 'deny')
      throw new PxError('policy.denied', `${tool.name} was not called: ${answer.by} said no.`, {
        hint: 'Do not try it another way. Answer without it.',
      });
  };

  const call = async (part: ToolCallPart, context: ToolContext, begins: () => void): Promise<Labelled> => {
    const tools = list();
    const tool = tools.find((one) => one.name === part.name);
    if (!tool)
      throw new PxError('tool.unknown', `There is no tool "${part.name}".`, {
        hint: `Tools: ${tools.map((one) => one.name).join(', ')}`,
      });
    const problems = checkArguments(tool.parameters, part.args);
    const denied = toolAllowed(config.current.agent.tools.deny, tool.name).allow === false;
    if (problems.length > 0 && !denied)
      throw new PxError('tool.arguments', `${tool.name}: ${problems.join('; ')}.`, { hint: 'Correct the arguments.' });
    await permit(tool, part.args, context).finally(begins);
    context.signal.throwIfAborted();
    const answer = await orAborted(tool.run(part.args, context), context.signal);
    if (typeof answer !== 'string') return answer;
    const { outside } = tool;
    return { text: answer, outside: outside === undefined ? [] : [outside] };
  };

  return {
    list,
    soon(name) {
      if (toolAllowed(config.current.agent.tools.deny, name).allow)
        list()
          .find((tool) => tool.name === name)
          ?.soon?.();
    },
    specs: (turn: { conversation: ConversationId; from: TurnFrom } = { conversation: 'cli/default', from: 'owner' }) =>
      list()
        .filter((tool) => judge(tool, {}, { ...turn, turn: '', signal: never }, []).do !== 'deny')
        .map(({ name, description, parameters }) => ({ name, description, parameters })),
    async run(part, context): Promise<ToolRun> {
      // The time a person took to decide is not the tool's.
      let begun = performance.now();
      const begins = () => {
        begun = performance.now();
      };
      let answer: Labelled;
      let isError = false;
      try {
        answer = await call(part, context, begins);
      } catch (thrown) {
        isError = true;
        const outside = list().find((tool) => tool.name === part.name)?.outside;
        const text = errorText(context.signal.aborted ? stopped(context.signal) : thrown);
        // What a plugin or server says of its failure is its text too; px's own refusals are not.
        answer = { text, outside: outside === undefined || ownWords(thrown) ? [] : [outside] };
      }
      // Scrubbed before it is cut: half a secret at the cut would not be recognised.
      const result = toolResult(part, elide(secrets.scrub(answer.text)) || '(no output)', isError);
      result.content.push(...(answer.images ?? []));
      const ms = Math.round((performance.now() - begun) * 100) / 100;
      log.debug(`${part.name} ${isError ? 'failed' : 'done'}`, { ms });
      const { outside } = answer;
      return { result, ms, ...(outside.length > 0 ? { outside } : {}) };
    },
  };
}

/** How far a plugin reaches with these rules: one that only ever asks (GET) is less than one that sends, or changes files. */
function reachOf(egress: string[], folders: string[]): Reach {
  if (folders.some((rule) => parseFolder(rule).write)) return 'sends';
  if (egress.length === 0) return 'inside';
  const rules = egress.map(parseEgress);
  // What goes over a WebSocket is said, however it is asked for.
  if (rules.some(({ scheme }) => scheme === 'ws' || scheme === 'wss')) return 'sends';
  const methods = rules.flatMap((rule) => rule.methods);
  return methods.every((method) => method === 'GET' || method === 'HEAD') ? 'asks' : 'sends';
}

/** Whether px itself refused the call, before anything outside was asked. */
const ownWords = (thrown: unknown) =>
  thrown instanceof PxError && ['policy.denied', 'tool.arguments', 'interrupted'].includes(thrown.code);

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

const never = new AbortController().signal;
const noTools: McpTool[] = [];
const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);

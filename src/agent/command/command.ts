import type { Choice } from '../../channel/channel.ts';
import { nearest } from '../../config/config.ts';
import type { Inbound } from '../../wire/wire.ts';
import type { AgentOptions } from '../create.ts';
import { whoOf } from '../gate.ts';
import { approve, deny } from './approve.ts';
import { context } from './context.ts';
import { link } from './link.ts';
import { memory } from './memory.ts';
import { model } from './model.ts';
import { pair } from './pair.ts';
import { queue } from './queue.ts';
import { status } from './status.ts';
import { tools } from './tools.ts';
import { undo } from './undo.ts';
import { usage as spent } from './usage.ts';

/** What a command is run with: the agent's parts and the message it came in. */
export interface CommandContext extends AgentOptions {
  inbound: Inbound;
  /** What follows the command's name, trimmed. */
  argument: string;
  signal: AbortSignal;
}

/** A command's answer, with what can be said to it next where a messenger has buttons. */
export interface Answer {
  text: string;
  choices?: Choice[];
}

/** A command a person types in any channel; it is answered by px, not by a model. */
export interface Command {
  name: string;
  /** `[NAME]`; empty when it takes nothing. */
  argument: string;
  summary: string;
  /** True when it must not wait behind a running turn. */
  urgent: boolean;
  /** True for what only the owner may type. */
  owner?: true;
  run(context: CommandContext): Promise<string | Answer> | string | Answer;
}

const help: Command = {
  name: 'help',
  argument: '',
  summary: 'what you can type',
  urgent: true,
  run: (context) =>
    [
      'Just write to me. Or type:',
      ...commands.filter((one) => mayType(one, context)).map((one) => `${usage(one)} — ${one.summary}`),
    ].join('\n'),
};

const fresh: Command = {
  name: 'new',
  argument: '',
  summary: 'start a new conversation (the old one stays in the journal)',
  urgent: false,
  async run({ sessions, approvals, inbound }) {
    await sessions.reset(inbound.conversation);
    approvals?.endSession(inbound.conversation);
    return 'A new conversation. What was said before stays in memory and can be searched.';
  },
};

const stop: Command = {
  name: 'stop',
  argument: '',
  summary: 'stop the answer that is running',
  urgent: true,
  run: ({ sessions, inbound }) => (sessions.stop(inbound.conversation) ? 'Stopping.' : 'Nothing is running.'),
};

/** Every command, in the order /help shows. */
const commands: readonly Command[] = [
  ...[help, status, fresh, model, stop, approve, deny, context, spent, memory, undo],
  ...[link, pair, tools, queue],
];

/** Other names people type: Telegram's first message is /start. */
const aliases: { [name: string]: string } = { start: 'help', reset: 'new', commands: 'help' };

/** A command ready to run. */
export interface FoundCommand {
  urgent: boolean;
  run(context: Omit<CommandContext, 'argument'>): Promise<string | Answer>;
}

/** The command a text is; undefined for what the model is to answer (the offline model's `/tool` too). */
export function findCommand(text: string): FoundCommand | undefined {
  const [, typed, argument = ''] = /^\/([a-zA-Z][\w-]*)(?:@\w+)?(?:\s+([\s\S]*))?$/.exec(text.trim()) ?? [];
  if (typed === undefined || typed === 'tool') return undefined;
  const name = typed.toLowerCase();
  const found = commands.find((one) => one.name === (Object.hasOwn(aliases, name) ? aliases[name] : name));
  if (!found) return { urgent: true, run: async (context) => unknown(typed, context) };
  return {
    urgent: found.urgent,
    run: async (context) =>
      mayType(found, context)
        ? found.run({ ...context, argument: argument.trim() })
        : `/${found.name} is for the owner of this px only.`,
  };
}

const usage = (command: Command) => `/${command.name}${command.argument ? ` ${command.argument}` : ''}`;

/** Whether the one who typed may use a command. */
const mayType = (command: Command, context: Omit<CommandContext, 'argument'>) =>
  command.owner !== true || whoOf(context, context.inbound).from === 'owner';

function unknown(typed: string, context: Omit<CommandContext, 'argument'>): string {
  const names = commands.filter((one) => mayType(one, context)).map((one) => one.name);
  const close = nearest(typed.toLowerCase(), names);
  return `I do not know /${typed}.${close === undefined ? '' : ` Did you mean /${close}?`} /help lists what you can type.`;
}

/** What people can type, for the menus of platforms. */
export function commandMenu(): { name: string; summary: string }[] {
  return commands.map(({ name, summary }) => ({ name, summary }));
}

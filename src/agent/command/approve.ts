import { PxError } from '../../error/error.ts';
import type { Decided, PersonDecision } from '../../policy/policy.ts';
import type { Approval, Standing } from '../../wire/wire.ts';
import { whoOf } from '../gate.ts';
import type { Command, CommandContext } from './command.ts';

const units: { [unit: string]: number } = { m: 1, h: 60, d: 1440 };

/** `/approve ID [once|session|1h]`: lets a call go on; without words what waits, and what is allowed for longer. */
export const approve: Command = {
  name: 'approve',
  argument: '[ID] [once|session|1h]',
  summary: 'let me do what I asked for: once, until /new, or for a time; alone: what waits',
  urgent: true,
  owner: true,
  run(context) {
    const words = context.argument.split(/\s+/).filter((word) => word !== '');
    const how = spanOf(words.at(-1) ?? '');
    if (how) words.pop();
    const [id, ...more] = words;
    if (more.length > 0)
      return `I do not understand "${context.argument}". Type /approve ID, /approve ID session or /approve ID 1h.`;
    if (id === undefined && !how) return overview(context);
    return decide(context, id, how ?? { decision: 'once' });
  },
};

/** `/deny ID`: refuses a call that waits. */
export const deny: Command = {
  name: 'deny',
  argument: '[ID]',
  summary: 'do not let me do what I asked for; or take back what was allowed',
  urgent: true,
  owner: true,
  run(context) {
    const id = context.argument === '' ? undefined : context.argument;
    if (id !== undefined && context.approvals?.revoke(id)) return `${id.toUpperCase()}: I will ask again.`;
    return decide(context, id, { decision: 'deny' });
  },
};

type How = { decision: PersonDecision; minutes?: number };

/** `once`, `session`, `30m`, `1h`, `7d`; undefined for anything else. */
function spanOf(word: string): How | undefined {
  if (word === 'once' || word === 'session') return { decision: word };
  const [, count, unit] = /^(\d{1,4})([mhd])$/i.exec(word) ?? [];
  const each = units[unit?.toLowerCase() ?? ''];
  return count === undefined || each === undefined ? undefined : { decision: 'time', minutes: Number(count) * each };
}

function decide(context: CommandContext, id: string | undefined, { decision, minutes }: How): string {
  const { approvals, inbound } = context;
  if (!approvals) return 'Nothing waits for your word.';
  const waiting = approvals.list();
  const here = waiting.filter((one) => one.conversation === inbound.conversation);
  const [only, ...others] = here.length > 0 ? here : waiting;
  if (id === undefined && (only === undefined || others.length > 0))
    return only === undefined ? 'Nothing waits for your word.' : `Say which:\n${waiting.map(line).join('\n')}`;
  try {
    const done = approvals.decide(id ?? only?.id ?? '', decision, whoOf(context, inbound).name, minutes);
    return `${done.id}: ${said({ decision, by: '' }, minutes)} ${done.tool}.`;
  } catch (thrown) {
    if (thrown instanceof PxError)
      return `Nothing waits for your word under ${(id ?? '').toUpperCase().slice(0, 20)}. /approve alone shows what does.`;
    throw thrown;
  }
}

function said({ decision }: Decided, minutes = 60): string {
  if (decision === 'deny') return 'no to';
  if (decision === 'session') return 'yes until /new, to';
  return decision === 'time'
    ? `yes for ${minutes < 120 ? `${minutes} minutes` : `${Math.round(minutes / 60)} hours`}, to`
    : 'yes, once, to';
}

function overview({ approvals }: CommandContext): string {
  const waiting = approvals?.list() ?? [];
  const standing = approvals?.standing() ?? [];
  const lines = [
    ...(waiting.length > 0 ? ['Waiting for your word:', ...waiting.map(line)] : ['Nothing waits for your word.']),
    ...(standing.length > 0 ? ['Allowed without asking (/deny ID takes it back):', ...standing.map(yes)] : []),
  ];
  return lines.join('\n');
}

const line = ({ id, tool, arguments: args, conversation, reason }: Approval) =>
  `${id}: ${tool} ${args.length > 120 ? `${args.slice(0, 119).toWellFormed()}…` : args} in ${conversation} (${reason})`;
const yes = ({ id, tool, conversation, until, outside }: Standing) =>
  `${id}: ${tool} in ${conversation} until ${until === 0 ? '/new' : new Date(until).toLocaleString('sv').slice(0, 16)}${outside ? ', after text from outside too' : ''}`;

import { PxError } from '../../error/error.ts';
import { openBackend } from '../backend.ts';
import { table } from '../io.ts';
import { group, verb } from '../verb.ts';
import { when } from './outbox.ts';

const id = { type: 'positional', required: true, description: 'Its id, four letters; list shows it.' } as const;

const list = verb({
  name: 'list',
  summary: 'List what waits for your word, and what is allowed without asking again.',
  args: {},
  examples: ['px approvals list'],
  async run(context) {
    await using backend = await openBackend(context);
    const { approvals, standing } = await backend.client.approvals.list();
    if (context.json) {
      context.io.data({ approvals, standing });
      return 0;
    }
    if (approvals.length === 0) context.io.line('Nothing waits for your word.');
    for (const one of approvals) {
      context.io.line(`${one.id}  ${one.tool} ${one.arguments}`);
      context.io.line(
        context.io.dim(`      ${one.asked} in ${one.conversation}, until ${when(one.expires)}: ${one.reason}`),
      );
    }
    if (standing.length > 0) {
      context.io.line('Allowed without asking:');
      context.io.line(
        table(
          standing.map((one) => [
            one.id,
            one.tool,
            one.conversation,
            one.until === 0 ? 'until /new' : `until ${when(one.until)}`,
            one.outside ? 'after text from outside too' : '',
            `by ${one.by}`,
          ]),
        ),
      );
    }
    return 0;
  },
});

const approve = verb({
  name: 'approve',
  summary: 'Let a call that waits go on.',
  args: {
    id,
    session: { type: 'boolean', description: 'This tool in this conversation, until /new.' },
    for: { type: 'string', description: 'This tool in this conversation, so long: 30m, 2h, 7d.', valueHint: 'TIME' },
  },
  examples: ['px approvals approve K7MW', 'px approvals approve K7MW --session', 'px approvals approve K7MW --for 1h'],
  async run({ args, ...context }) {
    if (args.session && args.for !== undefined)
      throw new PxError('usage', 'Say --session or --for, not both.', { hint: 'px approvals approve K7MW --for 1h' });
    const minutes = args.for === undefined ? undefined : minutesOf(args.for);
    const decision = args.session ? 'session' : minutes === undefined ? 'once' : 'time';
    await using backend = await openBackend(context);
    const done = await backend.client.approvals.decide(args.id, decision, minutes);
    if (context.json) context.io.data(done);
    else
      context.io.line(
        `${done.tool} is allowed${{ once: ' once', session: ' until /new', time: ` for ${args.for}` }[decision]}.`,
      );
    return 0;
  },
});

const deny = verb({
  name: 'deny',
  summary: 'Refuse a call that waits.',
  args: { id },
  examples: ['px approvals deny K7MW'],
  async run({ args, ...context }) {
    await using backend = await openBackend(context);
    const done = await backend.client.approvals.decide(args.id, 'deny');
    if (context.json) context.io.data(done);
    else context.io.line(`${done.tool} is not called.`);
    return 0;
  },
});

const revoke = verb({
  name: 'revoke',
  summary: 'Take back what was allowed for longer.',
  args: { id },
  examples: ['px approvals revoke K7MW'],
  async run({ args, ...context }) {
    await using backend = await openBackend(context);
    await backend.client.approvals.revoke(args.id);
    if (context.json) context.io.data({ revoked: args.id.toUpperCase() });
    else context.io.line('px will ask again.');
    return 0;
  },
});

function minutesOf(text: string): number {
  const [, count, unit = ''] = /^(\d{1,4})([mhd])$/i.exec(text) ?? [];
  if (count === undefined) throw new PxError('usage', `"${text}" is no time.`, { hint: 'Write 30m, 2h or 7d.' });
  return Number(count) * ({ m: 1, h: 60, d: 1440 }[unit.toLowerCase()] ?? 1);
}

/** `px approvals …`. */
export const approvals = group({
  name: 'approvals',
  summary: 'Decide what the agent may do, when it asks.',
  examples: ['px approvals list', 'px approvals approve K7MW'],
  verbs: {
    list: async () => list,
    approve: async () => approve,
    deny: async () => deny,
    revoke: async () => revoke,
  },
});

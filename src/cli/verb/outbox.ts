import { openBackend } from '../backend.ts';
import { table } from '../io.ts';
import { group, verb } from '../verb.ts';

/** The number of a message, as `list` shows it. */
export const idArgument = {
  id: { type: 'positional', required: true, description: 'Its number; list shows it.' },
} as const;

/** `Nov 22 14:05`, in the machine's zone. */
export function when(at: number): string {
  const date = new Date(at);
  const day = date.toLocaleDateString('en-US', { month: 'short', day: 'numeric' });
  return `${day} ${date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })}`;
}

const list = verb({
  name: 'list',
  summary: 'List texts that have not arrived: waiting, refused, or of unknown fate.',
  args: {},
  examples: ['px outbox list', 'px outbox list --json'],
  async run(context) {
    await using backend = await openBackend(context);
    const parts = await backend.client.outbox();
    if (context.json) context.io.data(parts);
    else if (parts.length === 0) context.io.line('Everything has arrived.');
    else
      context.io.line(
        table(
          parts.map((p) => [
            `${p.id}`,
            p.state,
            when(p.at),
            `${p.channel}/${p.chat}`,
            p.text.replace(/\s+/g, ' ').slice(0, 40),
            p.error,
          ]),
        ),
      );
    return 0;
  },
});

const retry = verb({
  name: 'retry',
  summary: 'Send a dead letter again.',
  args: idArgument,
  examples: ['px outbox retry 3'],
  async run({ args, ...context }) {
    await using backend = await openBackend(context);
    await backend.client.retryPart(args.id);
    if (context.json) context.io.data({ queued: args.id });
    else context.io.line(backend.running ? `${args.id} is sent again.` : `${args.id} is sent when px runs.`);
    return 0;
  },
});

const drop = verb({
  name: 'drop',
  summary: 'Forget a dead letter.',
  args: idArgument,
  examples: ['px outbox drop 3'],
  async run({ args, ...context }) {
    await using backend = await openBackend(context);
    await backend.client.dropPart(args.id);
    if (context.json) context.io.data({ dropped: args.id });
    else context.io.line(`${args.id} is forgotten.`);
    return 0;
  },
});

/** `px outbox …`. */
export const outbox = group({
  name: 'outbox',
  summary: 'See what has not arrived, and send it again.',
  examples: ['px outbox list', 'px outbox retry 3'],
  verbs: { list: async () => list, retry: async () => retry, drop: async () => drop },
});

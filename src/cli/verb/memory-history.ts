import { bothSides } from '../../client/client.ts';
import { PxError } from '../../error/error.ts';
import { openBackend } from '../backend.ts';
import { table } from '../io.ts';
import { verb } from '../verb.ts';

const change = {
  type: 'positional',
  required: false,
  description: 'Number of a change; the last when left out.',
} as const;

/** `px memory log`. */
export const log = verb({
  name: 'log',
  summary: 'List what px changed in notes, latest first.',
  args: {
    path: { type: 'positional', required: false, description: 'Only of this note.' },
    limit: { type: 'string', default: '20', description: 'Most changes.', valueHint: 'N' },
  },
  examples: ['px memory log', 'px memory log MEMORY.md'],
  async run({ args, ...context }) {
    await using backend = await openBackend(context);
    const limit = wholeNumber(args.limit, '--limit');
    const changes = await backend.client.changes({ limit, ...(args.path === undefined ? {} : { path: args.path }) });
    if (context.json) context.io.data(changes);
    else if (changes.length === 0) context.io.line('px has changed nothing yet.');
    else
      context.io.line(
        table(
          changes.map((one) => [
            `#${one.n}`,
            new Date(one.at).toLocaleString('sv').slice(0, 16),
            one.undoes === undefined ? one.kind : `undo of #${one.undoes}`,
            one.path,
            `+${one.added} -${one.removed}`,
            `${one.by?.conversation ?? 'you'}${one.undoneBy === undefined ? '' : `, undone by #${one.undoneBy}`}`,
          ]),
        ),
      );
    return 0;
  },
});

/** `px memory diff`. */
export const diff = verb({
  name: 'diff',
  summary: 'Show one change line by line.',
  args: { change },
  examples: ['px memory diff', 'px memory diff 12'],
  async run({ args, ...context }) {
    await using backend = await openBackend(context);
    const n = args.change === undefined ? (await backend.client.changes({ limit: 1 }))[0]?.n : numberOf(args.change);
    if (n === undefined) throw nothingYet();
    const found = await backend.client.diff(n);
    if (context.json) context.io.data(found);
    else context.io.line(`${context.io.bold(`#${n} ${found.path}`)}\n${found.diff}`);
    return 0;
  },
});

/** `px memory undo`. */
export const undo = verb({
  name: 'undo',
  summary: 'Take a change of px back. What you wrote since stays.',
  details:
    'The last change that was not taken back yet, or the one named. An undo is a change too and can be undone. When the note was changed at the same lines since, nothing is written and both are shown.',
  args: { change },
  examples: ['px memory undo', 'px memory undo 12'],
  async run({ args, ...context }) {
    await using backend = await openBackend(context);
    const last = async () =>
      (await backend.client.changes({ limit: 1000 })).find(
        (one) => one.undoes === undefined && one.undoneBy === undefined,
      )?.n;
    const n = args.change === undefined ? await last() : numberOf(args.change);
    if (n === undefined) throw nothingYet();
    const { io } = context;
    try {
      const done = await backend.client.undo(n);
      if (context.json) io.data(done);
      else if (done.state === 'nothing') io.line(`${done.path} is already as it was before #${n}.`);
      else
        io.line(
          `${done.path} is as before #${n}${done.state === 'merged' ? ', with what was written since' : ''}. \`px memory undo ${done.n}\` brings it back.`,
        );
      return 0;
    } catch (thrown) {
      const merged = bothSides(thrown);
      if (merged !== undefined && !context.json) io.note(merged);
      throw thrown;
    }
  },
});

const nothingYet = () =>
  new PxError('not-found', 'There is no change that could be taken back.', { hint: '`px memory log` lists changes.' });

const numberOf = (text: string): number => wholeNumber(text.replace(/^#/, ''), 'A change');

/** A number from 1 up that was typed. Throws PxError `usage`. */
export function wholeNumber(text: string, what: string, hint = 'px memory log --limit 5'): number {
  const n = Number(text);
  if (Number.isInteger(n) && n >= 1) return n;
  throw new PxError('usage', `${what} takes a number from 1 up.`, { hint });
}

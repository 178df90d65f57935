import { PxError } from '../../error/error.ts';
import { openBackend } from '../backend.ts';
import { verb } from '../verb.ts';
import { wholeNumber } from './memory-history.ts';

/** The most lines the gateway gives at once. */
const most = 100_000;

/** `px memory show`. */
export const show = verb({
  name: 'show',
  summary: 'Print a note.',
  details: 'A place as search prints it, like MEMORY.md#12, begins at that line.',
  args: {
    path: { type: 'positional', required: true, description: 'A note below memory/, or a place in one: MEMORY.md#12.' },
    lines: { type: 'string', description: 'Most lines. Left out: all.', valueHint: 'N' },
  },
  examples: ['px memory show MEMORY.md', 'px memory show MEMORY.md#12 --lines 5'],
  async run({ args, ...context }) {
    const [, path = '', line = '1'] = /^(.*?)(?:#L?([1-9]\d*))?$/s.exec(args.path) ?? [];
    const lines =
      args.lines === undefined ? most : wholeNumber(args.lines, '--lines', 'px memory show MEMORY.md --lines 5');
    await using backend = await openBackend(context);
    const note = await backend.client.note(path, Number(line), Math.min(lines, most));
    if (note.from > note.totalLines)
      throw new PxError('not-found', `${note.path} ends at line ${note.totalLines}.`, {
        hint: `px memory show ${note.path}`,
      });
    if (context.json) context.io.data(note);
    else context.io.line(note.text.replace(/\n$/, ''));
    return 0;
  },
});

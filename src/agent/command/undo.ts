import { PxError } from '../../error/error.ts';
import type { Command } from './command.ts';

/** `/undo`: takes back what this conversation last wrote to a note; `/undo N` the change of that number. */
export const undo: Command = {
  name: 'undo',
  argument: '[N]',
  summary: 'take back what I last wrote to a note from here, or change N',
  urgent: false,
  owner: true,
  async run({ memory, inbound, argument }) {
    const { conversation } = inbound;
    const own = await memory.history.log({ conversation, limit: 1000 });
    const asked = argument.replace(/^#/, '');
    const found = own.find((one) =>
      asked === '' ? one.undoes === undefined && one.undoneBy === undefined : String(one.n) === asked,
    );
    if (!found) return asked === '' ? 'I wrote no note from here.' : `I made no change #${asked} from here.`;
    try {
      const done = await memory.history.undo(found.n, { conversation, turn: 'undo' });
      if (done.state === 'nothing') return `${done.path} is already as it was before.`;
      const kept = done.state === 'merged' ? ' What was written there since stays.' : '';
      return `Taken back: change #${found.n} of ${done.path}.${kept} /undo ${done.n} brings it back.`;
    } catch (thrown) {
      if (!(thrown instanceof PxError)) throw thrown;
      return `${thrown.message}${thrown.hint ? `\n${thrown.hint}` : ''}`;
    }
  },
};

import { PxError } from '../../error/error.ts';
import { openBackend } from '../backend.ts';
import { table } from '../io.ts';
import { verb } from '../verb.ts';

/** `px context`. */
export const context = verb({
  name: 'context',
  summary: 'Show what px sends to the model with the next message, in tokens.',
  details:
    'Tokens are estimated; what memory recalls depends on the message, so the most it may be is shown. What is marked stable is the same bytes from turn to turn, so that providers keep it. `agent.profile: minimal` in px.yaml makes it small for local models.',
  args: { conversation: { type: 'positional', default: 'cli/default', description: 'channel/chat.' } },
  examples: ['px context', 'px context telegram/4711'],
  async run({ args, ...given }) {
    const slash = args.conversation.indexOf('/');
    if (slash < 1)
      throw new PxError('usage', `${args.conversation} is no conversation.`, {
        hint: 'Write it as channel/chat: `px context telegram/4711`.',
      });
    await using backend = await openBackend(given);
    const id = `${args.conversation.slice(0, slash)}/${args.conversation.slice(slash + 1)}` as const;
    const report = await backend.client.context(id);
    const { io } = given;
    if (given.json) {
      io.data(report);
      return 0;
    }
    io.line(table(report.parts.map((part) => [part.name, `${part.tokens}`, part.stable ? 'stable' : ''])));
    io.line(
      `px adds at most ${report.added} tokens (agent.profile: ${report.profile}), ${report.total} with the history`,
    );
    io.line(`${report.model}: ${report.window === null ? 'context window unknown' : `window ${report.window}`}`);
    return 0;
  },
});

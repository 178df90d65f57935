import { connect } from '../../client/client.ts';
import { PxError } from '../../error/error.ts';
import { runningPx } from '../backend.ts';
import { terminalLook } from '../look.ts';
import { verb } from '../verb.ts';

/** `px tui`. */
export const tui = verb({
  name: 'tui',
  summary: 'Watch px live and talk with it, in this terminal.',
  details:
    'Chat, running turns, plugin executions, log, models and health of the px that runs for this home. ? lists the keys. NO_COLOR is honoured; where the locale is not UTF-8, only ASCII is drawn.',
  args: {
    conversation: {
      type: 'string',
      default: 'default',
      description: 'Which conversation to talk in: a name of yours, or channel/chat.',
      valueHint: 'NAME',
    },
    ascii: { type: 'boolean', description: 'Draw with ASCII characters only.' },
  },
  examples: ['px tui', 'px tui --conversation work', 'px tui --ascii'],
  async run({ args, env, home }) {
    const { checkTerminal, conversationId, runTui } = await import('../../tui/tui.ts');
    const conversation = conversationId(args.conversation);
    if (!conversation)
      throw new PxError('usage', `"${args.conversation}" is not a conversation.`, {
        hint: 'Give a name like work, or channel/chat.',
      });
    checkTerminal(env.get('TERM'));
    const client = await runningPx({ home });
    const look = terminalLook(env);
    return await runTui({
      client,
      connect: () => connect(home),
      conversation,
      ...look,
      ascii: args.ascii === true || look.ascii,
    });
  },
});

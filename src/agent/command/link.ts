import { PxError } from '../../error/error.ts';
import type { Command } from './command.ts';

/** `/link`: a code to be typed on another channel, so that px knows the same person there; `/link CODE` is typing it. */
export const link: Command = {
  name: 'link',
  argument: '[CODE]',
  summary: 'be the same person to me on another channel, with one conversation',
  urgent: false,
  run({ channels, inbound, argument }) {
    if (!channels) return 'Nothing can be linked here.';
    if (inbound.metadata?.['group'] === true)
      return 'Type /link in your private chat with me: everybody here could use the code.';
    try {
      if (argument === '') {
        const code = channels.linkCode(inbound);
        return `Write this to me on the other channel within ten minutes:\n/link ${code}\nWho writes it is you to me, with all you may do: give it to nobody.`;
      }
      const conversation = channels.link(inbound, argument);
      return conversation === undefined
        ? 'That code is not good, or its ten minutes are over. Type /link on the other channel for a new one.'
        : `Linked. From your next message on our conversation is ${conversation}, here too.`;
    } catch (thrown) {
      if (!(thrown instanceof PxError)) throw thrown;
      return `${thrown.message}${thrown.hint ? `\n${thrown.hint}` : ''}`;
    }
  },
};

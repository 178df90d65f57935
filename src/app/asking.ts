import type { Channels } from '../channel/channel.ts';
import type { ConfigStore } from '../config/config.ts';
import { toPxError } from '../error/error.ts';
import type { Log } from '../log/log.ts';
import type { Approval, Inbound } from '../wire/wire.ts';

/** What asking works with. */
interface AskingOptions {
  channels: Pick<Channels, 'send' | 'who' | 'ownerChats'>;
  config: Pick<ConfigStore, 'current'>;
  log: Log;
}

/**
 * Brings a question to the owner where they are: into the chat they wrote in; for a guest, a script or the schedule of px's own
 * surfaces into the owner's chats. What is typed at px itself shows the question there.
 */
export function tellApproval({ channels, config, log }: AskingOptions) {
  return (approval: Approval, inbound: Inbound): void => {
    const connected = config.current.channels[inbound.channel] !== undefined;
    const { from } = channels.who(inbound);
    const here = connected && from !== 'guest';
    const watched = !connected && from === 'owner' && (inbound.channel === 'cli' || inbound.channel === 'web');
    const chats = here ? [inbound] : watched ? [] : channels.ownerChats();
    const text = approvalText(approval, here ? '' : ` (${approval.asked} in ${approval.conversation})`);
    for (const { channel, chat } of chats)
      try {
        channels.send(channel, chat, text, { choices: choices(approval.id) });
      } catch (thrown) {
        log.warn('a question could not be sent', { channel, error: toPxError(thrown).message });
      }
    if (from === 'guest' && connected) channels.send(inbound.channel, inbound.chat, 'I have to ask my owner first.');
  };
}

/** What can be said to a question: buttons, or lines to be typed where a connector has none. */
const choices = (id: string) => [
  { label: 'Once', says: `/approve ${id}` },
  { label: 'Until /new', says: `/approve ${id} session` },
  { label: 'An hour', says: `/approve ${id} 1h` },
  { label: 'No', says: `/deny ${id}` },
];

/** A question as a message. */
function approvalText(approval: Approval, where = ''): string {
  const { tool, arguments: args, reason, expires, at } = approval;
  const minutes = Math.max(1, Math.round((expires - at) / 60_000));
  const cut = `${args.slice(0, 400).toWellFormed()} … (${args.length - 800} more characters: px approvals list) … ${args.slice(-400).toWellFormed()}`;
  const shown = args.length > 900 ? cut : args;
  return [
    `🔐 May I use ${tool}?${where}`,
    ...(shown === '{}' ? [] : [shown]),
    `Why I ask: ${reason}. Without a word I will not, after ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}.`,
    ...(where === '' ? ['Yes or no?'] : []),
  ].join('\n');
}

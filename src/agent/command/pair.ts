import { PxError } from '../../error/error.ts';
import type { Command, CommandContext } from './command.ts';

/** `/pair`: who may talk to px; `/pair approve CODE [owner|guest]`, `/pair revoke CHANNEL ID`. */
export const pair: Command = {
  name: 'pair',
  argument: '[list|approve CODE|revoke CHANNEL ID]',
  summary: 'who may talk to me, and let somebody in',
  urgent: true,
  owner: true,
  run(context) {
    const { channels, argument } = context;
    if (!channels) return 'There are no channels here.';
    const [what = 'list', first = '', second = '', ...more] = argument.split(/\s+/).filter((word) => word !== '');
    try {
      if (what === 'list' && first === '') return list(context);
      if (what === 'approve' && first !== '' && more.length === 0) return approve(context, first, second);
      if (what === 'revoke' && second !== '' && more.length === 0)
        return channels.pairing.revoke(first, second)
          ? `${second} may no longer talk to me on ${first}.`
          : `${second} is not paired on ${first}. /pair lists who is.`;
    } catch (thrown) {
      if (!(thrown instanceof PxError)) throw thrown;
      return `${thrown.message}${thrown.hint ? `\n${thrown.hint}` : ''}`;
    }
    return 'Type /pair list, /pair approve CODE, or /pair revoke CHANNEL ID.';
  },
};

function approve({ channels }: CommandContext, code: string, said: string): string {
  const role = said === 'owner' || said === 'guest' ? said : undefined;
  if (said !== '' && role === undefined) return 'Type /pair approve CODE, with owner or guest after it if you want.';
  const who = channels?.pairing.approve(code, role);
  return who ? `${who.name || who.sender} may talk to me on ${who.channel}, as ${who.role}.` : '';
}

function list({ channels }: CommandContext): string {
  const all = channels?.pairing.list() ?? [];
  if (all.length === 0) return 'Nobody has asked yet.';
  return all
    .map(({ state, channel, sender, name, role, code, person }) =>
      state === 'pending'
        ? `${name || sender} on ${channel} asks: /pair approve ${code}`
        : `${name || sender} on ${channel} (${sender}): ${role}${person === '' ? '' : `, the same as ${person}`}`,
    )
    .join('\n');
}

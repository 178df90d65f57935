import type { ConfigStore } from '../config/config.ts';
import { PxError } from '../error/error.ts';
import type { ConversationId, Inbound } from '../wire/wire.ts';
import { isGroup, localChannels } from './access.ts';
import type { Channels, Role } from './channel.ts';
import { newCode, type PairingBook, plainCode, sameCode } from './pairing.ts';

/** How long a link code is good, in ms. */
const CODE_MS = 600_000;
/** Wrong link codes after which all open ones are void: nobody may try them out. */
const MOST_WRONG = 5;

/** Who people are: their role, the conversation they have, the identities that are one person. */
export interface Identities extends Pick<Channels, 'who' | 'ownerChats' | 'linkCode' | 'link'> {
  /** The conversation of a message: that of the person in a private chat, that of the chat in a group. */
  conversationOf(inbound: Inbound): ConversationId;
  /** The same for somebody unknown who typed `/link CODE`; false when that is not what it is, or the code is not good. */
  admitByLink(inbound: Inbound): boolean;
  /** The role of somebody who is approved now and of whom nothing else was said. */
  firstRole(): Role;
}

/** Makes it over the pairing book and px.yaml. Link codes live in memory: they are good for ten minutes. */
export function createIdentities(
  config: Pick<ConfigStore, 'current'>,
  book: PairingBook,
  now: () => number,
): Identities {
  let codes: { code: string; channel: string; sender: string; role: Role; until: number }[] = [];
  let wrong = 0;

  const who: Identities['who'] = (inbound) => {
    const { channel, sender } = inbound;
    const name = sender.name || sender.id;
    if (sender.id === 'schedule' || sender.id === 'script') return { from: 'schedule', name };
    // Only px's own, signed-in surfaces can say so: what a connector brings never has this id.
    if (sender.id === 'owner') return { from: 'owner', name };
    if (config.current.channels[channel]?.owners.includes(sender.id)) return { from: 'owner', name };
    return { from: book.person(channel, sender.id)?.role ?? 'guest', name };
  };

  const known = ({ channel, sender }: Inbound): boolean => {
    if (localChannels.has(channel) || book.approved(channel, sender.id)) return true;
    const rules = config.current.channels[channel];
    return rules !== undefined && (rules.owners.includes(sender.id) || rules.allow.includes(sender.id));
  };

  /** The identity a code stands for. px's own surfaces stand for the owner. */
  const identityOf = (inbound: Inbound): { channel: string; sender: string; role: Role } => {
    if (localChannels.has(inbound.channel)) {
      const [owner] = book.owners();
      return { channel: owner?.channel ?? '', sender: owner?.sender ?? '', role: 'owner' };
    }
    const role: Role = who(inbound).from === 'owner' ? 'owner' : 'guest';
    const identity = { channel: inbound.channel, sender: inbound.sender.id, role };
    // Somebody whom only px.yaml names has a place in the book from now on: others are linked to it.
    if (!book.approved(identity.channel, identity.sender)) book.join(inbound, identity);
    return identity;
  };

  const take = (typed: string): (typeof codes)[number] | undefined => {
    codes = codes.filter((one) => one.until > now());
    const found = codes.find((one) => sameCode(one.code, plainCode(typed)));
    if (found) {
      codes = codes.filter((one) => one !== found);
      wrong = 0;
    } else if (++wrong >= MOST_WRONG) {
      codes = [];
      wrong = 0;
    }
    return found;
  };

  const conversationOf = (inbound: Inbound): ConversationId =>
    (isGroup(inbound) ? undefined : book.home(inbound.channel, inbound.sender.id)) ?? inbound.conversation;

  return {
    who,
    conversationOf,
    ownerChats: () =>
      book
        .owners()
        .filter(({ channel }) => config.current.channels[channel]?.enabled)
        .map(({ channel, chat }) => ({ channel, chat })),
    linkCode(inbound) {
      if (who(inbound).from === 'schedule') throw new PxError('policy.denied', 'Only a person can be linked.');
      // A link lasts, and an open door may be closed: who came through one is nobody px was told about.
      if (!known(inbound))
        throw new PxError('policy.denied', 'Only somebody who is paired, or whom px.yaml names, can be linked.');
      const identity = identityOf(inbound);
      const code = newCode();
      codes = [...codes.filter((one) => one.until > now()), { ...identity, code, until: now() + CODE_MS }].slice(-20);
      return code;
    },
    link(inbound, typed) {
      const own = who(inbound);
      if (localChannels.has(inbound.channel) || isGroup(inbound))
        throw new PxError('usage', 'Type the code in your private chat with me.');
      const found = take(typed);
      if (!found) return undefined;
      if (own.from === 'owner' && found.role !== 'owner')
        throw new PxError('policy.denied', 'That code is a guest’s: you would become one.', {
          hint: 'Type /link here, and the code on the other channel.',
        });
      book.join(inbound, found);
      book.listPeople();
      return conversationOf(inbound);
    },
    admitByLink(inbound) {
      const [, typed] = /^\/link(?:@\w+)?\s+([A-Za-z0-9][A-Za-z0-9 -]{7,11})\s*$/.exec(inbound.text.trim()) ?? [];
      if (typed === undefined || codes.length === 0 || isGroup(inbound)) return false;
      const found = take(typed);
      if (found) book.join(inbound, found);
      return found !== undefined;
    },
    firstRole() {
      const named = Object.values(config.current.channels).some((channel) => channel.owners.length > 0);
      return named || book.owners().length > 0 ? 'guest' : 'owner';
    },
  };
}

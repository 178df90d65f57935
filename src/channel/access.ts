import type { ChannelConfig } from '../config/config.ts';
import type { Inbound } from '../wire/wire.ts';
import type { Role } from './channel.ts';

/** Channels of px itself: whoever can use them has the home's token, so they are trusted and need no connector. */
export const localChannels: ReadonlySet<string> = new Set(['cli', 'web', 'api', 'hook']);

/** What becomes of a message from a connector: it is answered, its sender gets a pairing code, or nothing happens. */
export type Admission = 'answer' | 'pair' | 'ignore';

/**
 * Decides about a message by the channel's `access`. In a group a stranger gets no code: one person's words there must not make px
 * write to all of them.
 */
export function admit(rules: ChannelConfig, inbound: Inbound, paired: () => boolean): Admission {
  if (isGroup(inbound) && !addressed(rules, inbound)) return 'ignore';
  if (rules.owners.includes(inbound.sender.id)) return 'answer';
  if (rules.access === 'open' || rules.allow.includes(inbound.sender.id)) return 'answer';
  if (rules.access === 'allow-list') return 'ignore';
  if (paired()) return 'answer';
  return isGroup(inbound) ? 'ignore' : 'pair';
}

/** Whether a message was written where several can read it, as its connector says. */
export const isGroup = (inbound: Inbound): boolean => inbound.metadata?.['group'] === true;

/** Whether px is meant by what is said in a group. A connector that cannot tell leaves `mentioned` out: then it is. */
function addressed(rules: ChannelConfig, inbound: Inbound): boolean {
  if (rules.groups === 'off') return false;
  return rules.groups === 'all' || inbound.metadata?.['mentioned'] !== false;
}

/** What a stranger is told. */
export function pairingMessage(code: string): string {
  return `I do not know you yet, so I cannot answer.\n\nYour pairing code: ${code}\n\nIf this px is yours, run this where it runs, within one hour:\n\npx pairing approve ${code}`;
}

/** What a person is told once they are paired. */
export function welcomeMessage(role: Role): string {
  return role === 'owner'
    ? 'You are paired, and you are my owner: when I may not do something without a word, I ask you here. /help lists what you can type.'
    : 'You are paired. From now on I answer you here.';
}

/** What somebody is told who became another's second identity. */
export const linkedMessage = 'Linked: I know you now, and our conversation goes on here.';

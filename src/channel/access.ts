import type { ChannelConfig } from '../config/config.ts';
import type { Inbound } from '../wire/wire.ts';

/** Channels of px itself: whoever can use them has the home's token, so they are trusted and need no connector. */
export const localChannels: ReadonlySet<string> = new Set(['cli', 'web', 'api', 'hook']);

/** What becomes of a message from a connector: it is answered, its sender gets a pairing code, or nothing happens. */
export type Admission = 'answer' | 'pair' | 'ignore';

/**
 * Decides about a message by the channel's `access`. In a group a stranger gets no code: one person's words there must not make px
 * write to all of them.
 */
export function admit(rules: ChannelConfig, inbound: Inbound, paired: () => boolean): Admission {
  if (rules.access === 'open' || rules.allow.includes(inbound.sender.id)) return 'answer';
  if (rules.access === 'allow-list') return 'ignore';
  if (paired()) return 'answer';
  return inbound.metadata?.['group'] === true ? 'ignore' : 'pair';
}

/** What a stranger is told. */
export function pairingMessage(code: string): string {
  return `I do not know you yet, so I cannot answer.\n\nYour pairing code: ${code}\n\nIf this px is yours, run this where it runs, within one hour:\n\npx pairing approve ${code}`;
}

/** What a person is told once they are paired. */
export const welcomeMessage = 'You are paired. From now on I answer you here.';

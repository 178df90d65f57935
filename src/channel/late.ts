import type { ChannelConfig } from '../config/config.ts';
import type { Inbound } from '../wire/wire.ts';

/** From this age on an answer says which message it is for, in ms: px or the platform was away, and others may have come since. */
const LATE_MS = 10 * 60_000;
/** Most characters of the message that a late answer repeats. */
const QUOTED = 60;

/** Whether a message came too late to be answered by itself. px's own surfaces have no such bound. */
export function tooOld(inbound: Inbound, rules: ChannelConfig | undefined, now: number): boolean {
  return rules !== undefined && now - inbound.at > rules.answer_within_hours * 3_600_000;
}

/** What stands before a late answer; empty for one that is in time. */
export function lateMark(inbound: Inbound, now: number): string {
  if (now - inbound.at < LATE_MS) return '';
  const words = inbound.text.replace(/\s+/g, ' ').trim();
  const quoted = words.length > QUOTED ? `${words.slice(0, QUOTED).toWellFormed().trimEnd()}…` : words;
  return `⏳ Late, to what you wrote ${when(inbound.at, now)}: “${quoted}”\n\n`;
}

function when(at: number, now: number): string {
  const then = new Date(at);
  const time = then.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  if (then.toDateString() === new Date(now).toDateString()) return `at ${time}`;
  return `on ${then.toLocaleDateString('en-GB', { day: 'numeric', month: 'long' })} at ${time}`;
}

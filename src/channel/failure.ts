import { PxError, toPxError } from '../error/error.ts';

/** What a failed `post-message` means for the part that was to be sent. */
export type SendFailure =
  /** It was not sent; try again, after `afterMs` when the platform named a time. */
  | { kind: 'later'; afterMs: number | undefined }
  /** The platform will never take it. */
  | { kind: 'refused' }
  /** The plugin was ended while it sent: it may or may not have arrived. */
  | { kind: 'unknown' }
  /** The whole channel cannot send now; it is not this message's fault. */
  | { kind: 'blocked'; afterMs: number | undefined };

const channelWide = new Set<string>([
  'plugin.unknown',
  'plugin.disabled',
  'plugin.quarantined',
  'sandbox.unavailable',
  'secret.missing',
  'policy.denied',
]);
const endedMidway = new Set<string>([
  'plugin.crashed',
  'plugin.cpu',
  'plugin.wall',
  'plugin.memory',
  'plugin.output',
  'timeout',
  'interrupted',
  'internal',
]);

/** How long a channel waits when its plugin has used up its requests, in ms: they come back within a minute, little by little. */
const rateLimitPause = 5_000;

/**
 * Reads a failure of `post-message`. A guest's error text may say what it is: `retry-after:SECONDS` anywhere, or begin with `refused:`
 * (never try again), `unauthorized:` (the token is wrong) or `unknown:` (it may have been sent). Other guest errors are tried again.
 */
export function readSendFailure(thrown: unknown): SendFailure {
  const error = toPxError(thrown);
  const afterMs = retryAfter(error);
  if (channelWide.has(error.code)) return { kind: 'blocked', afterMs };
  if (endedMidway.has(error.code)) return error.retryable ? { kind: 'later', afterMs } : { kind: 'unknown' };
  const text = guestText(error);
  if (/^unknown:/i.test(text)) return { kind: 'unknown' };
  // px itself let nothing out: not the message's fault, whichever comes next would fare the same.
  if (/^denied:/i.test(text))
    return { kind: 'blocked', afterMs: text.includes('requests a minute') ? rateLimitPause : afterMs };
  if (tokenRefused(text)) return { kind: 'blocked', afterMs };
  if (afterMs !== undefined || error.retryable) return { kind: 'later', afterMs };
  if (/^refused:|\b(?:400|403|413)\b/i.test(text)) return { kind: 'refused' };
  return { kind: 'later', afterMs };
}

/** The wait a guest's text asks for (`retry-after:30`), in ms, at most an hour. */
export function retryAfter(thrown: unknown): number | undefined {
  const seconds = /\bretry-after:\s*(\d+(?:\.\d+)?)/i.exec(guestText(toPxError(thrown)))?.[1];
  return seconds === undefined ? undefined : Math.min(Number(seconds) * 1000, 3_600_000);
}

/** The guest's own words, else the error's message. */
function guestText(error: PxError): string {
  return typeof error.data === 'string' ? error.data : error.message;
}

/** Whether a text says that the platform does not know the token. */
function tokenRefused(text: string): boolean {
  return /^unauthorized:|\b401\b|\bunauthori[sz]ed\b|\btoken (?:was |is )?(?:refused|invalid|wrong)\b/i.test(text);
}

/** The person's view of why a connector does not work, with what to do about it where px knows. */
export function explainFailure(thrown: unknown, plugin: string, missingSecrets: string[]): string {
  const error = toPxError(thrown);
  const text = error.code === 'plugin.guest' ? guestText(error) : error.message;
  const missing = missingSecrets[0];
  if (missing !== undefined) return `secret ${missing} is not set: px secret set ${missing} (${text})`;
  if (tokenRefused(text)) return `token refused by the platform: ${text}`;
  return error.hint === undefined || error.code === 'plugin.guest' ? `${plugin}: ${text}` : `${text}: ${error.hint}`;
}

/** What is told when it is not known whether a part arrived. */
export function unknownOutcome(why: string): PxError {
  return new PxError('channel.delivery', `It is not known whether this message arrived: ${why}`, {
    hint: 'Look in the chat; px does not send it again by itself.',
    data: { outcome: 'unknown' },
  });
}

/** What connectors share that do by themselves, here and now, what px does with `nextSend` and `onSent`. */
import { HttpError, httpRequest, type Outgoing, type Progress, type Request, type WaitAnswer } from 'px';

/** Makes a request now; the answer is as `onWait` and `onSent` get it. */
export function answerOf(request: Request): WaitAnswer {
  try {
    return { ok: httpRequest(request) };
  } catch (e) {
    if (e instanceof HttpError) return { err: e };
    throw e;
  }
}

/** A connector's `nextSend` and `onSent`. */
export interface Sending {
  nextSend(channel: string, out: Outgoing): Request;
  onSent(channel: string, out: Outgoing, answer: WaitAnswer): Progress;
}

/** Does one thing in a chat; the platform's id of the message. */
export function does(
  { nextSend, onSent }: Sending,
  channel: string,
  given: Pick<Outgoing, 'kind'> & Partial<Outgoing>,
): string {
  const out: Outgoing = { key: 'direct', message: null, content: '', choices: [], files: [], ...given };
  let request = nextSend(channel, out);
  for (;;) {
    const next = onSent(channel, out, answerOf(request));
    if ('done' in next) return next.done;
    request = next.again;
  }
}

/** Posts a text in pieces: px splits at `maxText` before, but a longer text from elsewhere must not fail. The id of the last. */
export function post(sending: Sending, channel: string, content: string, maxText: number): string {
  let id = '';
  for (const part of content.match(new RegExp(`[\\s\\S]{1,${maxText}}(?<![\\ud800-\\udbff])`, 'g')) ?? [])
    id = does(sending, channel, { kind: 'post', content: part });
  return id;
}

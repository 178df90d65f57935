import { kvDelete, kvGetText, kvList, kvSet, log, now, type Outgoing } from 'px';
import { call, type JsonObject, request, v3 } from './api.ts';

/** Matrix has no buttons: px puts these signs under its message, and who taps one says what it stands for. */
const signs = ['1️⃣', '2️⃣', '3️⃣', '4️⃣', '5️⃣', '6️⃣', '7️⃣', '8️⃣', '9️⃣'];
/** Messages with signs that are kept. */
const mostKept = 100;

type Kept = { channel: string; says: string[]; at: number };

/** The text with a line for each choice: its sign, what it is called. */
export function withChoices(out: Outgoing): string {
  const lines = out.choices.slice(0, signs.length).map(({ label }, i) => `${signs[i]} ${label}`);
  return lines.length === 0 ? out.content : `${out.content}\n\n${lines.join('\n')}`;
}

/** Puts the signs under a message that is sent; it is there already, so a sign that fails is only missed. */
export function offerChoices(room: string, channel: string, id: string, out: Outgoing): void {
  if (out.choices.length === 0) return;
  const says = out.choices.slice(0, signs.length).map((choice) => choice.says);
  const kept = kvList('choices:');
  if (kept.length >= mostKept) {
    const old = kept.map((key) => ({ key, at: readKept(key)?.at ?? 0 })).sort((a, b) => a.at - b.at);
    for (const { key } of old.slice(0, kept.length - mostKept + 1)) kvDelete(key);
  }
  kvSet(`choices:${id}`, JSON.stringify({ channel, says, at: now() } satisfies Kept));
  try {
    for (const [i] of says.entries())
      call(request('PUT', v3('rooms', room, 'send', 'm.reaction', `${out.key}-${i}`), annotation(id, signs[i] ?? '')));
  } catch (e) {
    log('info', `not all signs could be put under a message: ${e instanceof Error ? e.message : e}`);
  }
}

/** A reaction to a message. */
export const annotation = (event: string, key: string): JsonObject => ({
  'm.relates_to': { rel_type: 'm.annotation', event_id: event, key },
});

/** What a sign under a message says, and where; nothing for another reaction. */
export function chosen(event: string, key: string): { channel: string; says: string } | undefined {
  const kept = readKept(`choices:${event}`);
  // Apps write the sign with or without the mark that makes it a picture.
  const plain = (sign: string) => sign.replaceAll('\ufe0f', '');
  const says = kept?.says[signs.findIndex((sign) => plain(sign) === plain(key))];
  return kept && says !== undefined ? { channel: kept.channel, says } : undefined;
}

function readKept(key: string): Kept | undefined {
  const text = kvGetText(key);
  return text === undefined ? undefined : JSON.parse(text);
}

import type { Json, Outgoing, Progress, Request, WaitAnswer } from 'px';
import { type Args, apiRequest, objectOf, Refusal, read, uploadRequest } from './api.ts';
import { rowsOf } from './buttons.ts';
import { toDiscord } from './format.ts';

/** Longest text of one Discord message. */
export const maxText = 2_000;
/** Longest key Discord compares. */
const maxNonce = 25;
/** No previews of the links in a text. */
const noEmbeds = 1 << 2;

/** The request that does what px wants. */
export function requestFor(channel: string, out: Outgoing): Request {
  const at = `/channels/${encodeURIComponent(channel)}`;
  switch (out.kind) {
    case 'typing':
      return apiRequest('POST', `${at}/typing`, {});
    case 'react':
      // To take one's own away it has to be known which it was.
      return out.content === ''
        ? apiRequest('GET', `${at}/messages/${idOf(out.message)}`)
        : apiRequest('PUT', reaction(at, out.message, out.content), {});
    case 'edit':
      return apiRequest('PATCH', `${at}/messages/${idOf(out.message)}`, {
        ...worded(out),
        components: rowsOf(out.choices),
      });
    case 'draft':
      throw new Error('refused: Discord shows no drafts');
    default:
      return post(`${at}/messages`, out);
  }
}

/** What Discord's answer means. */
export function progress(channel: string, out: Outgoing, answer: WaitAnswer): Progress {
  try {
    const sent = objectOf(read(answer));
    if (out.kind === 'react' && out.content === '') {
      const mine = (Array.isArray(sent['reactions']) ? sent['reactions'] : [])
        .map(objectOf)
        .find((one) => one['me'] === true);
      const { id, name } = objectOf(mine?.['emoji']);
      if (name) {
        const emoji = id ? `${name}:${id}` : `${name}`;
        return {
          again: apiRequest('DELETE', reaction(`/channels/${encodeURIComponent(channel)}`, out.message, emoji)),
        };
      }
    }
    return { done: typeof sent['id'] === 'string' && out.kind !== 'react' ? sent['id'] : (out.message ?? '') };
  } catch (e) {
    // Only a post that may have been done must not be done twice: anything else is the same the second time.
    if (e instanceof Refusal && e.status >= 500 && out.kind !== 'post') throw new Error(`Discord answered ${e.status}`);
    throw e;
  }
}

/** px's id of a message may say that it is an edit: `123:e1700000000000`. */
const idOf = (id: string | null) => /\d+/.exec(id ?? '')?.[0] ?? '0';

const reaction = (at: string, message: string | null, emoji: string) =>
  `${at}/messages/${idOf(message)}/reactions/${encodeURIComponent(emoji)}/@me`;

function post(path: string, out: Outgoing): Request {
  const [file] = out.files;
  const args: Args = {
    ...worded(out),
    // The same key shows once for some minutes, however often it is sent; what has none of px's keys is another text each time.
    ...(out.key === 'direct' ? {} : { nonce: nonceOf(out.key), enforce_nonce: true }),
    ...(out.choices.length > 0 ? { components: rowsOf(out.choices) } : {}),
    ...(out.message === null
      ? {}
      : { message_reference: { message_id: idOf(out.message), fail_if_not_exists: false } }),
  };
  if (!file) return apiRequest('POST', path, args);
  const attachments: Json = [{ id: 0, filename: file.name }];
  return uploadRequest(path, { ...args, attachments }, file, `${out.key}${file.size}`);
}

/** The text as Discord shows it; nobody is called by it, whatever the model wrote. */
function worded(out: Outgoing): Args {
  const shown = toDiscord(out.content);
  return {
    content: shown.length > maxText ? out.content.slice(0, maxText) : shown,
    allowed_mentions: { parse: [] },
    ...(out.files.length > 0 ? {} : { flags: noEmbeds }),
  };
}

function nonceOf(key: string): string {
  if (key.length <= maxNonce) return key;
  let hash = 5381n;
  for (const c of key) hash = (hash * 33n + BigInt(c.codePointAt(0) ?? 0)) & 0xffffffffffffffffn;
  return `px${hash.toString(36)}`;
}

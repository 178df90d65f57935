import * as v from 'valibot';
import type { Attachment, Inbound } from './conversation.ts';
import type { Json, JsonObject } from './json.ts';

/** Most attachments of one message. */
const mostAttached = 10;
/** Most characters of base64 in one message: 20 MB of data. */
const mostData = 28_000_000;

/** What comes with a message, as connectors (in `metadata.attachments`) and the API give it. */
export const Attached = v.object({
  mime: v.pipe(v.string(), v.regex(/^[\w.+-]{1,80}\/[\w.+-]{1,80}$/, 'a media type: `image/png`')),
  name: v.optional(v.pipe(v.string(), v.maxLength(200), v.description('As the sender calls it.'))),
  data: v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]+={0,2}$/, 'base64'), v.description('The bytes in base64.')),
});
export type Attached = v.InferOutput<typeof Attached>;

/** A picture or a document. Names are made safe to print. */
export function toAttachment({ mime, name = '', data }: Attached): Attachment {
  const type = mime.toLowerCase();
  if (type.startsWith('image/') && type !== 'image/svg+xml') return { type: 'image', mime: type, data };
  const shown = name.replace(/[^\p{L}\p{N} ._()+-]/gu, '_').trim();
  return { type: 'file', mime: type, name: shown || 'document', data };
}

/** What a message's `metadata.attachments` holds; what is none, or too much, is left out. */
export function attachmentsIn(metadata: JsonObject | undefined): Attachment[] {
  const given = metadata?.['attachments'];
  if (!Array.isArray(given)) return [];
  let room = mostData;
  return given.slice(0, mostAttached).flatMap((one): Attachment[] => {
    const read = v.safeParse(Attached, one);
    if (!read.success || read.output.data.length > room) return [];
    room -= read.output.data.length;
    return [toAttachment(read.output)];
  });
}

/** The message without the bytes of its attachments: who watches needs to know of them, not to have them. */
export function withoutData(inbound: Inbound): Inbound {
  const given = inbound.metadata?.['attachments'];
  if (!Array.isArray(given)) return inbound;
  const attachments = given.map((one): Json => {
    const read = v.safeParse(Attached, one);
    if (!read.success) return null;
    const { mime, name = '', data } = read.output;
    return { mime, name, bytes: Buffer.byteLength(data, 'base64') };
  });
  return { ...inbound, metadata: { ...inbound.metadata, attachments } };
}

import { now, type Outgoing, type Progress, type Request, randomBytes, type WaitAnswer } from 'px';
import { call, type JsonObject, listOf, me, objectOf, Refusal, read, request, textOf, v3 } from './api.ts';
import { annotation, offerChoices, withChoices } from './choices.ts';
import { toHtml } from './format.ts';
import { shown, upload } from './media.ts';
import { eventOf, placeOf } from './message.ts';

/** So long people see that px is writing, in ms; px says it again every four seconds. */
const typingMs = 6_000;
/** Longest plain form of an edit, in characters: apps that know edits show the new content. */
const maxOld = 200;

/** Texts that were too large with their formatting: they go once more without. */
const plain = new Set<string>();

/** The request that does what px wants. */
export function requestFor(channel: string, out: Outgoing): Request {
  const { room } = placeOf(channel);
  const [file] = out.files;
  switch (out.kind) {
    case 'typing':
      return request('PUT', v3('rooms', room, 'typing', me().id), { typing: true, timeout: typingMs });
    case 'react':
      return out.content === '' ? takeAway(room, eventOf(out.message)) : reaction(room, out);
    case 'edit': {
      const content = worded(out);
      const old = { msgtype: 'm.text', body: `* ${out.content.slice(0, maxOld).toWellFormed()}` };
      const relation = { rel_type: 'm.replace', event_id: eventOf(out.message) };
      return send(room, `${out.key}-e${hash(out.content)}`, {
        ...old,
        'm.new_content': content,
        'm.relates_to': relation,
      });
    }
    case 'draft':
      throw new Error('refused: Matrix shows no drafts');
    default:
      return file ? upload(file) : send(room, out.key, { ...worded(out), ...relates(channel, out) });
  }
}

/** What the server's answer means. */
export function progress(channel: string, out: Outgoing, answer: WaitAnswer): Progress {
  const { room } = placeOf(channel);
  try {
    const said = read(answer);
    plain.delete(out.key);
    const [file] = out.files;
    const url = textOf(said['content_uri']);
    if (file && url !== undefined) {
      const caption = out.content === '' ? {} : worded(out);
      const content = { ...caption, ...shown(file, url), ...(out.content === '' ? {} : { body: safe(out.content) }) };
      return { again: send(room, out.key, { ...content, ...relates(channel, out) }) };
    }
    const id = textOf(said['event_id']) ?? '';
    if (out.kind === 'post') offerChoices(room, channel, id, out);
    return { done: out.kind === 'edit' ? eventOf(out.message) : id };
  } catch (e) {
    if (!(e instanceof Refusal)) throw e;
    if (e.code === 'M_DUPLICATE_ANNOTATION') return { done: '' };
    const words = out.kind === 'post' || out.kind === 'edit';
    if (e.code !== 'M_TOO_LARGE' || !words || out.files.length > 0 || plain.has(out.key)) throw e;
    if (plain.size > 100) plain.clear();
    plain.add(out.key);
    return { again: requestFor(channel, out) };
  }
}

/** A server shows what it was sent under one transaction id once. */
function send(room: string, transaction: string, content: JsonObject, type = 'm.room.message'): Request {
  return request('PUT', v3('rooms', room, 'send', type, transaction), content);
}

/** Text that is UTF-8 and has no NUL, which some servers' databases cannot keep. */
const safe = (text: string) => text.toWellFormed().replaceAll('\0', '\ufffd');

function worded(out: Outgoing): JsonObject {
  const text = safe(withChoices(out));
  const html = plain.has(out.key) ? undefined : toHtml(text);
  return {
    msgtype: 'm.text',
    body: text,
    'm.mentions': {},
    ...(html === undefined ? {} : { format: 'org.matrix.custom.html', formatted_body: html }),
  };
}

/** The thread a message belongs to and what it replies to. */
function relates(channel: string, out: Outgoing): JsonObject {
  const { thread } = placeOf(channel);
  const reply = out.message === null ? undefined : { event_id: eventOf(out.message) };
  if (thread !== undefined)
    return {
      'm.relates_to': {
        rel_type: 'm.thread',
        event_id: thread,
        is_falling_back: reply === undefined,
        'm.in_reply_to': reply ?? { event_id: thread },
      },
    };
  return reply === undefined ? {} : { 'm.relates_to': { 'm.in_reply_to': reply } };
}

/** The same reaction may be given, taken away and given again: each time is one of its own. */
function reaction(room: string, out: Outgoing): Request {
  return send(room, once(), annotation(eventOf(out.message), out.content), 'm.reaction');
}

const once = () => `px${now()}-${[...randomBytes(6)].map((byte) => byte.toString(16)).join('')}`;

/** Takes px's own reaction to a message away, the latest first. */
function takeAway(room: string, event: string): Request {
  const told = call(
    request('GET', ['client', 'v1', 'rooms', room, 'relations', event, 'm.annotation', 'm.reaction'], undefined, {
      limit: 50,
    }),
  );
  const mine = listOf(told['chunk']).find((one) => objectOf(one)?.['sender'] === me().id);
  const id = textOf(objectOf(mine)?.['event_id']);
  if (id === undefined) throw new Error('refused: px has not reacted to this message');
  return request('PUT', v3('rooms', room, 'redact', id, once()), {});
}

/** A short name for a text: each state of a message that is edited has one. */
function hash(text: string): string {
  let value = 5381n;
  for (let i = 0; i < text.length; i++) value = (value * 33n + BigInt(text.charCodeAt(i))) & 0xffffffffffffffffn;
  return value.toString(36);
}

import type { Outgoing, Progress, Request, WaitAnswer } from 'px';
import { carried } from '../button-words.ts';
import { type Args, methodRequest, methodUrl, Refusal, read } from './api.ts';
import { chatOf, moved, target } from './chat.ts';
import { toHtml } from './format.ts';

/** Largest photo Telegram takes as one, in bytes. */
const maxPhoto = 10_000_000;
/** Most bytes of what a button says. */
const maxData = 64;

/** Texts whose formatting, and photos whose form Telegram refused: they go once more as they are. */
const plain = new Set<string>();

/** The request that does what px wants. */
export function requestFor(channel: string, out: Outgoing): Request {
  switch (out.kind) {
    case 'typing':
      return methodRequest('sendChatAction', { ...target(channel), action: 'typing' });
    case 'react': {
      const reaction = out.content ? [{ type: 'emoji', emoji: out.content }] : [];
      return methodRequest('setMessageReaction', about(channel, out, { reaction }));
    }
    case 'draft':
      if (/^-/.test(channel)) throw new Error('refused: Telegram shows drafts in private chats only');
      return methodRequest('sendMessageDraft', { ...target(channel), draft_id: draftId(out.key), ...worded(out) });
    case 'edit':
      return methodRequest('editMessageText', about(channel, out, { ...worded(out), ...extras(out) }));
    default:
      return out.files.length > 0
        ? upload(channel, out)
        : methodRequest('sendMessage', { ...target(channel), ...worded(out), ...extras(out), ...reply(out) });
  }
}

/** What Telegram's answer means. */
export function progress(channel: string, out: Outgoing, answer: WaitAnswer): Progress {
  const tried = `${channel} ${out.key}`;
  try {
    const sent = read(answer);
    plain.delete(tried);
    return { done: messageId(sent) };
  } catch (e) {
    if (!(e instanceof Refusal)) throw e;
    if (e.movedTo !== undefined) {
      moved(`${chatOf(channel)}`, e.movedTo);
      return { again: requestFor(channel, out) };
    }
    if (e.status === 400 && /not modified/i.test(e.said)) return { done: out.message ?? '' };
    if (e.status !== 400 || hopeless.test(e.said) || plain.has(tried)) {
      plain.delete(tried);
      // Only a draft's method may be unknown to an older server; the token is known to be right then.
      throw e.status === 404 && out.kind === 'draft' ? new Error('refused: this server shows no drafts') : e;
    }
    if (plain.size > 100) plain.clear();
    plain.add(tried);
    return { again: requestFor(channel, out) };
  }
}

/** Refusals that another form of the text does not mend. */
const hopeless =
  /chat not found|user not found|message to (?:edit|reply|react)|message can't be|not enough rights|have no rights|PEER_ID|TOPIC_CLOSED|thread not found|REACTION/i;

const messageId = (sent: unknown): string =>
  typeof sent === 'object' && sent !== null && 'message_id' in sent ? `${sent.message_id}` : '';

/** px's id of a message is `chat:message`; Telegram's own number is taken too. */
const messageNumber = (id: string | null) => Number(/(?:^|:)(\d+)(?::e\d+)?$/.exec(id ?? '')?.[1] ?? 0);

function about(channel: string, out: Outgoing, args: Args): Args {
  return { chat_id: chatOf(channel), message_id: messageNumber(out.message), ...args };
}

/** The text with its formatting, or as it is once Telegram has refused that. */
function worded(out: Outgoing): Args {
  return { ...formatted('text', out), link_preview_options: { is_disabled: true } };
}

const isPlain = (out: Outgoing) => [...plain].some((tried) => tried.endsWith(` ${out.key}`));

function formatted(field: 'text' | 'caption', out: Outgoing): Args {
  if (out.content === '') return {};
  if (isPlain(out)) return { [field]: out.content };
  const html = toHtml(out.content);
  return html === '' ? { [field]: out.content } : { [field]: html, parse_mode: 'HTML' };
}

function reply(out: Outgoing): Args {
  return out.message === null
    ? {}
    : { reply_parameters: { message_id: messageNumber(out.message), allow_sending_without_reply: true } };
}

function extras(out: Outgoing): Args {
  if (out.choices.length === 0) return {};
  const buttons = out.choices.map(({ label, says }) => ({ text: label, callback_data: data(says) }));
  // Short ones stand side by side, long ones below each other.
  const wide = buttons.some((b) => b.text.length > 12);
  const rows = wide ? buttons.map((b) => [b]) : [buttons];
  return { reply_markup: { inline_keyboard: rows } };
}

const data = (says: string) => carried(says, new TextEncoder().encode(says).length <= maxData);

function draftId(key: string): number {
  let hash = 17;
  for (let i = 0; i < key.length; i++) hash = (hash * 31 + key.charCodeAt(i)) % 2_000_000_000;
  return hash + 1;
}

/** A file with its caption. Its bytes are not here: px puts them where the body names them. */
function upload(channel: string, out: Outgoing): Request {
  const [file] = out.files;
  if (!file) throw new Error('refused: no file');
  const [method, field] = isPlain(out) ? (['sendDocument', 'document'] as const) : kindOf(file.mime, file.size);
  const boundary = `px${out.key}${file.size}`.replace(/[^\w]/g, '');
  const fields: Args = { ...target(channel), ...formatted('caption', out), ...extras(out), ...reply(out) };
  const name = file.name.replace(/[\r\n"\\]/g, '_');
  const lines = Object.entries(fields).map(
    ([key, value]) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${key}"\r\n\r\n${typeof value === 'object' ? JSON.stringify(value) : value}\r\n`,
  );
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="${field}"; filename="${name}"\r\nContent-Type: ${file.mime}\r\n\r\n`;
  return {
    url: methodUrl(method),
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: `${lines.join('')}${head}{{file:${file.id}}}\r\n--${boundary}--\r\n`,
    timeoutMs: 120_000,
  };
}

function kindOf(mime: string, size: number): readonly [method: string, field: string] {
  if (/^image\/(jpeg|png|webp)$/.test(mime) && size <= maxPhoto) return ['sendPhoto', 'photo'];
  if (mime === 'image/gif') return ['sendAnimation', 'animation'];
  if (/^audio\/ogg/.test(mime)) return ['sendVoice', 'voice'];
  if (/^audio\/(mpeg|mp4|x-m4a)$/.test(mime)) return ['sendAudio', 'audio'];
  if (mime === 'video/mp4') return ['sendVideo', 'video'];
  return ['sendDocument', 'document'];
}

import type { FilePart, Message, TextPart } from '../wire/wire.ts';

/** Types of text whose name does not begin with `text/`. */
const textual =
  /^(?:text\/|application\/(?:[\w.-]+\+)?(?:json|xml|yaml|x-yaml|toml|csv|javascript|sql|x-sh|x-ndjson)\b)/;
/** Most tokens px takes a page of a PDF to be: its text, and a picture of it. */
const pageTokens = 4_000;

/** A PDF, as far as its type says. */
export const isPdf = (part: FilePart): boolean => part.mime === 'application/pdf';

/** A text document as text that any model reads; undefined for any other document. */
export function documentText({ name, mime, data }: FilePart): TextPart | undefined {
  if (!textual.test(mime)) return undefined;
  const text = Buffer.from(data, 'base64')
    .toString('utf8')
    .replace(/^\ufeff/, '');
  return { type: 'text', text: `[Document ${name} (${mime})]\n${text.toWellFormed()}\n[End of ${name}]` };
}

/** The same messages with text documents as text: what can be measured and cut like all that is said. */
export function spellOut(messages: Message[]): Message[] {
  return messages.map((message): Message => {
    if (message.role !== 'user' || !message.parts.some((part) => part.type === 'file')) return message;
    return {
      role: 'user',
      parts: message.parts.map((part) => (part.type === 'file' ? (documentText(part) ?? part) : part)),
    };
  });
}

/** About the most tokens a document is: a PDF by its pages, where it tells them, else by its size. */
export function documentTokens(part: FilePart): number {
  const bytes = Buffer.from(part.data, 'base64');
  if (!isPdf(part)) return bytes.length;
  const text = bytes.toString('latin1');
  const told = [...text.matchAll(/\/Count\s+(\d{1,5})/g)].map((match) => Number(match[1]));
  const pages = Math.max(text.match(/\/Type\s*\/Page\b/g)?.length ?? 0, ...told);
  return Math.max(1, pages || Math.ceil(bytes.length / 3_000)) * pageTokens;
}

import type { Attachment, ImagePart, TextPart } from '../wire/wire.ts';
import { commentJson, encodeText, fenceFor, marksFor, oneLine, openFence } from './journal-text.ts';
import type { JournalEntry } from './memory.ts';

/** Keeps a picture or document beside the journal and answers its file name; undefined leaves the data in the entry. */
export type KeepMedia = (part: Attachment) => string | undefined;

/** An entry as Markdown: what people read, and the data for its closing line. */
interface Written {
  body: string;
  data: Record<string, unknown>;
}

/** The readable Markdown of an entry and the JSON of its closing line. The grammar is in docs/journal.md. */
export function writeEntry(entry: JournalEntry, keep: KeepMedia): { body: string; json: string } {
  const { body, data } = written(entry, keep);
  return { body, json: commentJson({ at: entry.at, ...data }) };
}

function written(entry: JournalEntry, keep: KeepMedia): Written {
  switch (entry.kind) {
    case 'user': {
      const { sender, channel, messageId: id, outside } = entry;
      const kept = attached(entry.attachments ?? [], keep);
      const name = oneLine(sender.name) || oneLine(sender.id);
      const said = speech(`## ${clock(entry.at)} ${name}${kept.links}`, entry.text);
      const data = { id, from: sender.id, name: sender.name, channel, ...given({ outside, files: kept.files }) };
      return { body: said.body, data: { ...data, ...said.marks } };
    }
    case 'assistant': {
      const said = speech(`## ${clock(entry.at)} px · ${oneLine(entry.model)}`, entry.text);
      return { body: said.body, data: { turn: entry.turn, model: entry.model, ...said.marks } };
    }
    case 'thinking': {
      const marks = marksFor([entry.text]);
      const { turn, provider, signature } = entry;
      return {
        body: quote('thinking', encodeText(entry.text, marks)),
        data: { turn, ...given({ provider, signature }), ...marks },
      };
    }
    case 'tool-call': {
      const { id, name, args, provider, signature } = entry.call;
      return {
        body: `**tool** \`${oneLine(name)}\`\n\n${jsonBlock(args)}`,
        data: { turn: entry.turn, id, name, ...given({ provider, signature }) },
      };
    }
    case 'tool-result':
      return toolResult(entry, keep);
    case 'turn-end': {
      const { turn, messageId: id, reason, usage, error } = entry;
      const failed = error ? ` · ${oneLine(`${error.code}: ${error.message}`, 200)}` : '';
      return {
        body: `*${reason === 'stop' ? '' : `${reason} · `}${usage.input} tokens in, ${usage.output} out${failed}*`,
        data: { turn, id, reason, usage, ...given({ error }) },
      };
    }
    case 'model':
      return {
        body: `*model ${oneLine(entry.model)}, chosen by ${oneLine(entry.by)}*`,
        data: { model: entry.model, by: entry.by },
      };
    case 'note': {
      const marks = marksFor([entry.text]);
      return {
        body: quote('note', encodeText(entry.text, marks)),
        data: { ...given({ data: entry.data }), ...marks },
      };
    }
  }
}

/** What came with a message: links for the heading, and where it is kept. */
function attached(attachments: Attachment[], keep: KeepMedia): { links: string; files: object[] | undefined } {
  let links = '';
  const files = attachments.map((part) => {
    const file = keep(part);
    const { mime } = part;
    const name = part.type === 'file' ? { name: part.name } : {};
    if (file === undefined) return { mime, ...name, data: part.data };
    links += ` · [${part.type === 'file' ? oneLine(part.name).replace(/[[\]]/g, '_') : 'picture'}](media/${file})`;
    return { mime, ...name, file };
  });
  return { links, files: files.length === 0 ? undefined : files };
}

function speech(heading: string, text: string) {
  const marks = marksFor([text]);
  const body = encodeText(text, marks);
  const fence = openFence(body);
  return fence === undefined
    ? { body: `${heading}\n\n${body}`, marks }
    : { body: `${heading}\n\n${body}\n${fence}`, marks: { ...marks, fence: true } };
}

function toolResult(entry: Extract<JournalEntry, { kind: 'tool-result' }>, keep: KeepMedia): Written {
  const { callId: id, name, content, isError } = entry.result;
  const marks = marksFor(content.filter(isText).map((part) => part.text));
  const blocks: string[] = [];
  const parts: unknown[] = [];
  for (const part of content) {
    if (isText(part)) {
      const text = encodeText(part.text, marks);
      const fence = fenceFor(text);
      blocks.push(`${fence}${/^\s*[[{]/.test(text) ? 'json' : 'text'}\n${text}\n${fence}`);
      parts.push(0);
    } else {
      const file = keep(part);
      if (file !== undefined) blocks.push(`![picture](media/${file})`);
      parts.push({ mime: part.mime, ...(file === undefined ? { data: part.data } : { file }) });
    }
  }
  const title = `**${isError ? 'failed' : 'result'}** \`${oneLine(name)}\` · ${Math.round(entry.ms)} ms`;
  return {
    body: [title, ...blocks].join('\n\n'),
    data: {
      turn: entry.turn,
      id,
      name,
      ms: entry.ms,
      ...given({ outside: entry.outside }),
      ...(isError ? { error: true } : {}),
      ...(content.every(isText) ? {} : { parts }),
      ...marks,
    },
  };
}

const isText = (part: TextPart | ImagePart): part is TextPart => part.type === 'text';

function jsonBlock(value: unknown): string {
  const short = JSON.stringify(value);
  const text = short.length <= 100 ? short : JSON.stringify(value, null, 2);
  return `\`\`\`json\n${text}\n\`\`\``;
}

/** `> **thinking**` and the text as a Markdown quotation. */
function quote(title: string, text: string): string {
  const lines = text.split('\n').map((line) => (line === '' ? '>' : `> ${line}`));
  return `> **${title}**\n>\n${lines.join('\n')}`;
}

/** Only the fields that have a value. */
function given(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** `14:03` in the local time zone. */
function clock(at: number): string {
  const time = new Date(at);
  return `${String(time.getHours()).padStart(2, '0')}:${String(time.getMinutes()).padStart(2, '0')}`;
}

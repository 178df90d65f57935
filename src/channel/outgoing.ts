import * as v from 'valibot';
import type { Json } from '../wire/wire.ts';
import type { Part } from './outbox.ts';
import { keyOf } from './reconcile.ts';

/** A button under a message: pressing it says `says` in the name of whoever presses it. */
export type Choice = {
  label: string;
  says: string;
};

/** A file that goes out. */
export interface OutFile {
  /** Below `memory/`. */
  path: string;
  /** As people see it. */
  name: string;
  mime: string;
  /** In bytes. */
  size: number;
}

/** What goes with a text. */
export interface Extras {
  choices?: Choice[];
  file?: OutFile;
  /** The platform's id of the message that the text takes the place of. */
  edits?: string;
  /** The platform's id of the message that is replied to. */
  replyTo?: string;
}

/** `outgoing` of wit/core.wit, in JSON. */
export type Outgoing = {
  kind: 'post' | 'edit' | 'draft' | 'typing' | 'react';
  key: string;
  message: string | null;
  content: string;
  choices: Choice[];
  files: { id: string; name: string; mime: string; size: number }[];
};

/** A part as the plugin gets it; what it cannot show becomes words. */
export function outgoing(part: Part, can: (ability: string) => boolean): Outgoing {
  const { edits, replyTo, choices = [], file } = part.extras;
  const said = [part.text];
  if (file && !can('files')) said.push(`(${file.name}: memory/${file.path})`);
  // What the text says already needs no line of its own.
  const unsaid = choices.filter(({ says }) => !part.text.includes(says.replace(/^\/\S+ /, '')));
  if (unsaid.length > 0 && !can('choices')) said.push(unsaid.map((c) => `${c.label}: ${c.says}`).join('\n'));
  return {
    kind: edits === undefined ? 'post' : 'edit',
    key: keyOf(part),
    message: edits ?? replyTo ?? null,
    content: said.filter((line) => line !== '').join('\n\n'),
    choices: can('choices') ? choices : [],
    files: file && can('files') ? [{ id: file.path, name: file.name, mime: file.mime, size: file.size }] : [],
  };
}

const progress = v.union([v.object({ done: v.string() }), v.object({ again: v.custom<Json>(() => true) })]);

/** What `on-sent` says comes next: the message's id, or one more request; undefined when it is neither. */
export function readProgress(answer: Json): { done: string } | { again: Json } | undefined {
  const read = v.safeParse(progress, answer);
  return read.success ? read.output : undefined;
}

const extras = v.object({
  choices: v.optional(v.array(v.object({ label: v.string(), says: v.string() }))),
  file: v.optional(v.object({ path: v.string(), name: v.string(), mime: v.string(), size: v.number() })),
  edits: v.optional(v.string()),
  replyTo: v.optional(v.string()),
});

/** What the outbox keeps beside a text, as JSON; null when there is nothing. */
export function writeExtras(given: Extras): string | null {
  const text = JSON.stringify(given);
  return text === '{}' ? null : text;
}

/** The reverse of {@link writeExtras}; nothing for what cannot be read. */
export function readExtras(text: string | null): Extras {
  if (text === null) return {};
  try {
    return v.parse(extras, JSON.parse(text)) as Extras;
  } catch {
    return {};
  }
}

import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { toPxError } from '../error/error.ts';
import type { Inbound, Json, JsonObject } from '../wire/wire.ts';
import { readSendFailure } from './failure.ts';

/** A file of a message, as a connector names it in `metadata.files`; with `path` once px has it, with `why` when it never will. */
const FileOfMessage = v.object({
  id: v.pipe(v.string(), v.minLength(1), v.maxLength(1000)),
  name: v.optional(v.pipe(v.string(), v.maxLength(300)), 'file'),
  mime: v.optional(v.pipe(v.string(), v.regex(/^[\w.+-]{1,80}\/[\w.+-]{1,80}$/)), 'application/octet-stream'),
  size: v.optional(v.pipe(v.number(), v.minValue(0)), 0),
  path: v.optional(v.string()),
  why: v.optional(v.string()),
});
type FileOfMessage = v.InferOutput<typeof FileOfMessage>;

/** Most files of one message. */
const mostFiles = 10;
/** Largest file whose bytes go to the model with the message, in bytes; a larger one is told by its path. */
const mostShown = 5_000_000;
/** What a model may be shown. */
const shown = /^(?:image\/(?:png|jpe?g|webp|gif)|application\/pdf|text\/[\w.+-]+)$/;
const tries = 4;

/** Files of a message; empty when it has none. */
function filesOf(metadata: JsonObject | undefined): FileOfMessage[] {
  const given = metadata?.['files'];
  if (!Array.isArray(given)) return [];
  return given.slice(0, mostFiles).flatMap((one) => {
    const read = v.safeParse(FileOfMessage, one);
    return read.success ? [read.output] : [];
  });
}

/** Whether something of a message is still to be fetched. */
export function toBeFetched(inbound: Inbound): boolean {
  return filesOf(inbound.metadata).some((file) => file.path === undefined && file.why === undefined);
}

/** What fetching works with. */
export interface FetchOptions {
  /** The folder `memory/`. */
  memory: string;
  /** Largest file, in bytes. */
  maxBytes: number;
  /** Has a connector bring a file. Throws what it failed with. */
  fetch(channel: string, id: string, into: { path: string; maxBytes: number }): Promise<void>;
  /** Pause before another try, in ms. */
  pauseMs: number;
}

/** Fetches the files of a message into `memory/files/`; what does not come is told in words. The message as it then is. */
export async function fetchFiles(seq: number, inbound: Inbound, options: FetchOptions): Promise<Inbound> {
  const day = new Date(inbound.at).toISOString().slice(0, 10);
  const folder = `files/${inbound.channel}/${day}`;
  await mkdir(join(options.memory, folder), { recursive: true, mode: 0o700 });
  const files: FileOfMessage[] = [];
  for (const [at, file] of filesOf(inbound.metadata).entries()) {
    if (file.path !== undefined || file.why !== undefined) files.push(file);
    else
      files.push(
        await bring(file, `${folder}/${seq}${at === 0 ? '' : `-${at}`}-${plainName(file.name)}`, inbound, options),
      );
  }
  const told = files.map((file) =>
    file.path === undefined
      ? `[${file.name}: not fetched, ${file.why ?? 'nobody knows why'}]`
      : `[${file.name}, ${file.mime}, ${sizeText(file.size)}: ${file.path}]`,
  );
  const metadata = { ...inbound.metadata, files: files as unknown as Json };
  return { ...inbound, text: [inbound.text, ...told].filter((line) => line !== '').join('\n'), metadata };
}

/** The message with the bytes a model can look at: for this turn only, they are not kept in the database. */
export async function withBytes(inbound: Inbound, memory: string): Promise<Inbound> {
  const attachments: Json[] = [];
  for (const { path, mime, name, size } of filesOf(inbound.metadata)) {
    if (path === undefined || size > mostShown || !shown.test(mime)) continue;
    const data = await readFile(join(memory, path)).catch(() => undefined);
    if (data) attachments.push({ mime, name, data: data.toString('base64') });
  }
  return attachments.length === 0 ? inbound : { ...inbound, metadata: { ...inbound.metadata, attachments } };
}

async function bring(
  file: FileOfMessage,
  path: string,
  inbound: Inbound,
  { memory, maxBytes, fetch, pauseMs }: FetchOptions,
): Promise<FileOfMessage> {
  if (file.size > maxBytes)
    return { ...file, why: `${sizeText(file.size)} are more than the ${sizeText(maxBytes)} I take` };
  for (let turn = 1; ; turn++) {
    try {
      const place = join(memory, path);
      await fetch(inbound.channel, file.id, { path: place, maxBytes });
      return { ...file, path, size: (await stat(place)).size };
    } catch (thrown) {
      const error = toPxError(thrown);
      const { kind } = readSendFailure(error);
      if (turn === tries || kind === 'refused' || kind === 'blocked')
        return { ...file, why: error.message.replace(/^refused: /, '').slice(0, 200) };
      await Bun.sleep(pauseMs * turn ** 2);
    }
  }
}

/** A name that is one on every system, and hides nothing. */
function plainName(name: string): string {
  const plain = name
    .replace(/[^\p{L}\p{N}._-]+/gu, '_')
    .replace(/^[._]+/, '')
    .slice(-80);
  return plain === '' ? 'file' : plain;
}

function sizeText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} bytes`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1_000)} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

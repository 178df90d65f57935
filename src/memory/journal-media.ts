import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Attachment } from '../wire/wire.ts';

const given = /^[0-9a-f]{32}\.[a-z0-9]{1,8}$/;

/** Keeps a picture or document in `media/` beside the journal, named by its content. Undefined for base64 that would not come back the same: it stays in the entry. */
export function keepMedia(folder: string, image: Attachment): string | undefined {
  const bytes = Buffer.from(image.data, 'base64');
  if (bytes.toString('base64') !== image.data) return undefined;
  const type = /^(?:image|application|text)\/([a-z0-9]{1,8})$/.exec(image.mime)?.[1] ?? 'bin';
  const name = `${new Bun.CryptoHasher('sha256').update(bytes).digest('hex').slice(0, 32)}.${type}`;
  const path = join(folder, 'media', name);
  if (existsSync(path)) return name;
  mkdirSync(join(folder, 'media'), { recursive: true, mode: 0o700 });
  const file = openSync(`${path}.tmp`, 'w', 0o600);
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.tmp`, path);
  return name;
}

/** What {@link keepMedia} kept, as base64; undefined when it is gone or the name is not one px gives. */
export function loadMedia(folder: string, name: string): string | undefined {
  if (!given.test(name)) return undefined;
  try {
    return readFileSync(join(folder, 'media', name)).toString('base64');
  } catch {
    return undefined;
  }
}

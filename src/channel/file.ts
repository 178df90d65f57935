import { lstatSync, realpathSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import { PxError } from '../error/error.ts';
import type { OutFile } from './outgoing.ts';

/** Folders and files of memory/ that are px's own record and go to nobody. */
const kept = /^(?:journal|ledger|log|people\.md|approvals\.md|schedule\.md)(?:\/|$)|(?:^|\/)\./i;

/** Media types by the end of a name; Bun knows the rest. */
const types: { [end: string]: string } = {
  oga: 'audio/ogg',
  ogg: 'audio/ogg',
  opus: 'audio/ogg',
  m4a: 'audio/mp4',
  md: 'text/markdown',
};

/** A file below memory/ that may be sent. Throws PxError `memory.path`, `not-found`, `channel.delivery`. */
export async function fileToSend(memory: string, given: string, most: number): Promise<OutFile> {
  const refuse = (why: string) => new PxError('memory.path', `“${given.slice(0, 200).toWellFormed()}” ${why}.`);
  const path = given.replaceAll('\\', '/').replace(/^(?:\.\/)*(?:memory\/)?/, '');
  if (path === '' || path.startsWith('/') || path.includes('\0') || path.split('/').includes('..'))
    throw refuse('is no path below memory/');
  if (kept.test(path)) throw refuse('is px’s own record and is not sent');
  const file = join(memory, path);
  let real: string;
  try {
    real = realpathSync(file);
  } catch {
    throw new PxError('not-found', `There is no file ${path}.`);
  }
  const inside = realpathSync(memory) + sep;
  if (!real.startsWith(inside) || kept.test(real.slice(inside.length).replaceAll(sep, '/')))
    throw refuse('is a link to what is not sent');
  const found = lstatSync(real);
  if (!found.isFile()) throw refuse('is not a file');
  if (found.size > most)
    throw new PxError('channel.delivery', `${path} is too large to be sent (${found.size} of ${most} bytes).`, {
      hint: 'channels.NAME.max_file_mb in px.yaml says how large a file may be.',
    });
  const end = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? '';
  const mime = types[end] ?? Bun.file(file).type.split(';')[0] ?? 'application/octet-stream';
  return { path, name: basename(path), mime, size: found.size };
}

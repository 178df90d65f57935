import * as v from 'valibot';
import type { Json } from '../../wire/wire.ts';
import { base64 } from '../base64.ts';
import type { HostAnswer } from '../guest.ts';
import type { Files, FilesOptions } from './files.ts';

const path = v.string();
const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));

/**
 * The file calls of host-api. What reaches files is loaded when a plugin first asks. Each rejects with FileError for what is refused or fails,
 * with ValiError for arguments of another form.
 */
export function fileCalls(options: FilesOptions): Record<string, (args: Json[]) => Promise<HostAnswer>> {
  let opened: Promise<Files> | undefined;
  const files = () => {
    opened ??= import('./files.ts').then(({ createFiles }) => createFiles(options));
    return opened;
  };
  return {
    'file-list': async ([at]) => {
      const found = await (await files()).list(v.parse(path, at));
      return { ok: found.map((entry) => ({ ...entry })) };
    },
    'file-stat': async ([at]) => ({ ok: { ...(await (await files()).stat(v.parse(path, at))) } }),
    'file-read': async ([at, offset, length]) => {
      const bytes = await (await files()).read(v.parse(path, at), v.parse(count, offset), v.parse(count, length));
      return { ok: bytes.toBase64() };
    },
    'file-write': async ([at, content]) => {
      await (await files()).write(v.parse(path, at), v.parse(base64, content));
      return { ok: null };
    },
    'file-delete': async ([at]) => {
      await (await files()).delete(v.parse(path, at));
      return { ok: null };
    },
  };
}

import type { Outgoing, Request } from 'px';
import { type JsonObject, me, objectOf, request, textOf } from './api.ts';

/** A file as px fetches it: `files` of a message's metadata. */
type FileToFetch = { id: string; name: string; mime: string; size: number };

const kinds: { [type: string]: [name: string, mime: string] } = {
  'm.image': ['image', 'image/jpeg'],
  'm.audio': ['audio', 'audio/ogg'],
  'm.video': ['video', 'video/mp4'],
  'm.file': ['file', 'application/octet-stream'],
  'm.sticker': ['sticker', 'image/png'],
};

/** The files of a message, and its words: what was written with the file, or what kind of file it is. */
export function describeFile(type: string, content: JsonObject): { files: FileToFetch[]; words: string } | undefined {
  const kind = kinds[type];
  if (!kind) return undefined;
  const [called, usual] = kind;
  const body = textOf(content['body']) ?? '';
  const filename = textOf(content['filename']);
  const info = objectOf(content['info']) ?? {};
  const name = filename ?? (body || called);
  // With a name of its own beside it the body is what was written under the file.
  const caption = filename !== undefined && filename !== body ? body : '';
  const seconds = typeof info['duration'] === 'number' ? `, ${Math.round(info['duration'] / 1000)} s` : '';
  const label = type === 'm.file' ? `(file: ${name})` : `(${called} without text${seconds})`;
  const words = caption || (type === 'm.sticker' ? body : label);
  const url = textOf(content['url']) ?? '';
  if (type === 'm.sticker' || !/^mxc:\/\/[^/]+\/[^/]+$/.test(url)) return { files: [], words };
  const mime = textOf(info['mimetype']) ?? usual;
  const size = typeof info['size'] === 'number' ? info['size'] : 0;
  return { files: [{ id: url, name, mime, size }], words };
}

/** The request that brings what is at an `mxc:` address. */
export function download(address: string): Request {
  const [, server = '', id = ''] = /^mxc:\/\/([^/]+)\/([^/]+)$/.exec(address) ?? [];
  if (id === '') throw new Error('refused: this is no address of a file');
  const path = me().guarded
    ? ['client', 'v1', 'media', 'download', server, id]
    : ['media', 'v3', 'download', server, id];
  return { ...request('GET', path), timeoutMs: 120_000 };
}

/** The request that brings a file to the server. Its bytes are not here: px puts them where the body names them. */
export function upload(file: Outgoing['files'][number]): Request {
  const asked = request('POST', ['media', 'v3', 'upload'], undefined, { filename: file.name });
  return {
    ...asked,
    headers: { ...(asked.headers as Record<string, string>), 'content-type': file.mime },
    body: `{{file:${file.id}}}`,
    timeoutMs: 120_000,
  };
}

/** The message that shows an uploaded file. */
export function shown(file: Outgoing['files'][number], url: string): JsonObject {
  const type = /^(image|audio|video)\//.exec(file.mime)?.[1] ?? 'file';
  return {
    msgtype: `m.${type}`,
    body: file.name,
    filename: file.name,
    url,
    info: { mimetype: file.mime, size: file.size },
  };
}

import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import type { App } from '../../app/app.ts';

/** Notes in one page of the list. */
const PAGE = 500;
const MOST_LINES = 100_000;
const scheme = 'memory:///';

/** How any note is addressed. */
export const noteTemplate = {
  uriTemplate: `${scheme}{+path}`,
  name: 'note',
  description: 'A note of px by its path below memory/.',
  mimeType: 'text/markdown',
};

/** A page of the notes; the cursor is the last path of the page before, so that new notes shift nothing. */
export async function listNotes(app: App, cursor: string | undefined) {
  const after = cursor === undefined ? '' : Buffer.from(cursor, 'base64url').toString();
  const notes = (await app.memory.list()).filter((path) => path > after).toSorted((a, b) => (a < b ? -1 : 1));
  const page = notes.slice(0, PAGE);
  const last = page.at(-1);
  return {
    resources: page.map((path) => ({ uri: uriOf(path), name: path, mimeType: 'text/markdown' })),
    ...(notes.length > PAGE && last !== undefined ? { nextCursor: Buffer.from(last).toString('base64url') } : {}),
  };
}

/** One note, whole. Throws McpError for an address that is none of px, PxError `memory.path`, `not-found`. */
export async function readNote(app: App, uri: string) {
  const path = pathOf(uri);
  if (path === undefined)
    throw new McpError(ErrorCode.InvalidParams, `${uri.slice(0, 200)} is no address of px: they begin with ${scheme}`);
  const { text } = await app.memory.get(path, 1, MOST_LINES);
  return { contents: [{ uri, mimeType: 'text/markdown', text: app.secrets.scrub(text) }] };
}

function uriOf(path: string): string {
  return scheme + path.split('/').map(encodeURIComponent).join('/');
}

function pathOf(uri: string): string | undefined {
  if (!uri.startsWith(scheme)) return undefined;
  try {
    return decodeURIComponent(uri.slice(scheme.length));
  } catch {
    return undefined;
  }
}

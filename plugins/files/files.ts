/** The tools of `files`: what is in the folders a person granted, read and changed. */
import { type FileEntry, fileDelete, fileList, fileRead, fileReadText, fileStat, fileWrite, type Tool } from 'px';

/** Lines and bytes of a file that one call tells. */
const usualLines = 400;
const maxBytes = 64 * 1024;
/** Largest file that is changed in place. */
const maxEdit = 256 * 1024;
/** Entries of a folder that are told. */
const maxEntries = 200;

const path = { type: 'string', description: 'begins with the granted folder: `workspace/notes/plan.md`' };
const text = { type: 'string' };
const tool = (
  name: string,
  description: string,
  properties: Tool['parameters'],
  required: string[],
  // biome-ignore lint/suspicious/noExplicitAny: what the schema promises
  run: (args: any) => string,
): Tool => ({ name, description, parameters: { type: 'object', properties, required }, run });

export const tools: Tool[] = [
  tool('files_list', 'Lists a granted folder; without a path, the granted folders.', { path }, [], list),
  tool(
    'files_read',
    'Reads a text file in a granted folder, with line numbers.',
    { path, line: { type: 'integer', minimum: 1, description: 'first line told' } },
    ['path'],
    read,
  ),
  tool('files_write', 'Writes a whole file in a granted folder.', { path, content: text }, ['path', 'content'], write),
  tool(
    'files_edit',
    'Puts new text in the place of old text, which must stand exactly once in the file.',
    { path, old: text, new: text },
    ['path', 'old', 'new'],
    edit,
  ),
  tool('files_delete', 'Deletes a file, or an empty folder.', { path }, ['path'], remove),
];

function list({ path: at = '' }: { path?: string }): string {
  const entries = fileList(at);
  if (entries.length === 0) return at === '' ? 'No folder is granted.' : `${at} is empty.`;
  const lines = entries.slice(0, maxEntries).map(line);
  const more = entries.length > maxEntries ? [`[and ${entries.length - maxEntries} more]`] : [];
  return [...lines, ...more].join('\n');
}

function line({ name, kind, size, modified }: FileEntry): string {
  if (kind === 'folder') return `${name}/`;
  if (kind === 'other') return `${name} (a link or something else that is not reached)`;
  return `${name}  ${size} bytes  ${new Date(modified).toISOString().slice(0, 16).replace('T', ' ')}`;
}

function read({ path: at, line: first = 1 }: { path: string; line?: number }): string {
  const { size } = fileStat(at);
  const bytes = fileRead(at, { length: Math.min(size, maxEdit) });
  if (bytes.subarray(0, 8192).includes(0)) throw new Error(`invalid: ${at} is no text (${size} bytes)`);
  const lines = new TextDecoder().decode(bytes).split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (lines.length === 0) return `${at} is empty.`;
  const out: string[] = [];
  let told = 0;
  for (const [i, one] of lines.slice(first - 1, first - 1 + usualLines).entries()) {
    const numbered = `${first + i}\t${one}`;
    if (told + numbered.length > maxBytes) break;
    told += numbered.length + 1;
    out.push(numbered);
  }
  const next = first + out.length;
  const beyond = size > bytes.length ? ` of the first ${bytes.length} bytes` : '';
  if (out.length === 0)
    throw new Error(`invalid: ${at} has ${lines.length} lines${beyond}, or line ${first} is too long`);
  return next <= lines.length
    ? `${out.join('\n')}\n[goes on at line ${next} of ${lines.length}${beyond}]`
    : out.join('\n');
}

function write({ path: at, content }: { path: string; content: string }): string {
  fileWrite(at, content);
  return `Wrote ${at} (${fileStat(at).size} bytes).`;
}

function edit({ path: at, old, new: fresh }: { path: string; old: string; new: string }): string {
  if (old === '') throw new Error('invalid: there is no old text to look for');
  if (fileStat(at).size > maxEdit) throw new Error(`too-large: ${at} is larger than ${maxEdit} bytes`);
  const before = fileReadText(at);
  const at1 = before.indexOf(old);
  if (at1 === -1) throw new Error(`not-found: that text does not stand in ${at}; read it again`);
  if (before.indexOf(old, at1 + 1) !== -1)
    throw new Error(`invalid: that text stands in ${at} more than once; give more of what is around it`);
  fileWrite(at, before.slice(0, at1) + fresh + before.slice(at1 + old.length));
  return `Changed ${at}, line ${before.slice(0, at1).split('\n').length}.`;
}

function remove({ path: at }: { path: string }): string {
  fileDelete(at);
  return `Deleted ${at}.`;
}

import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PxError } from '../../error/error.ts';
import { parseFolder } from '../../policy/policy.ts';
import { partsOf, placeOf } from '../files/path.ts';
import type { Content } from './case.ts';
import { mismatch } from './match.ts';

/** The folders a plugin that is tested asks for: they are empty when a test begins, but for what it puts there. */
export interface TestFolders {
  /** Empties them and writes these files, by path as the plugin writes it. Throws PxError `plugin.test`. */
  begin(files: Record<string, Content>): void;
  /** What is not as expected; null: nothing of this name. Throws PxError `plugin.test` for a path that leads nowhere. */
  problems(expected: Record<string, Content | null>): string[];
}

/** `asked` is what the manifest says of folders; `root` stands for the file system they are in. */
export function testFolders(asked: Record<string, string>, root: string, userHome: string): TestFolders {
  function find(path: string, key: string): string {
    try {
      const [folder = '', ...inner] = partsOf(path);
      const rule = Object.hasOwn(asked, folder) ? asked[folder] : undefined;
      if (rule === undefined) throw new Error(`the plugin asks for no folder ${JSON.stringify(folder)}`);
      if (inner.length === 0) throw new Error('expected a file in the folder');
      return join(placeOf(parseFolder(rule).path, { userHome, root }), ...inner);
    } catch (thrown) {
      const names = Object.keys(asked);
      throw new PxError('plugin.test', `${key}: ${path}: ${thrown instanceof Error ? thrown.message : ''}`, {
        hint:
          names.length > 0
            ? `A path begins with one of the folders it asks for: ${names.join(', ')}`
            : 'It asks for folders in its manifest, by the names it calls them: files: { notes: read ~/notes }',
      });
    }
  }
  return {
    begin(files) {
      rmSync(root, { recursive: true, force: true });
      for (const [path, content] of Object.entries(files)) {
        const at = find(path, 'files');
        try {
          mkdirSync(dirname(at), { recursive: true });
          writeFileSync(at, typeof content === 'string' ? content : Uint8Array.fromBase64(content.base64));
        } catch (cause) {
          throw new PxError('plugin.test', `files: ${path}: it cannot stand beside the others`, { cause });
        }
      }
    },
    problems: (expected) =>
      Object.entries(expected).flatMap(([path, wanted]) => {
        const at = find(path, 'files_after');
        const found = statSync(at, { throwIfNoEntry: false });
        if (found?.isDirectory()) return [`files_after: ${path}: it is a folder`];
        const got = found ? contentOf(readFileSync(at), wanted) : null;
        const wrong = mismatch(wanted, got, path);
        return wrong === undefined ? [] : [`files_after: ${wrong}`];
      }),
  };
}

/** Bytes in the form of what they are compared with. */
const contentOf = (bytes: Buffer, like: Content | null): Content =>
  typeof like === 'object' && like !== null ? { base64: bytes.toString('base64') } : bytes.toString();

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Secrets } from './secret.ts';

/** What a sealed page holds. */
export interface SealedData {
  /** The data as it stands in the file; empty when there is none. */
  json: string;
  /** Whether px of this home wrote it. */
  genuine(): boolean;
}

/**
 * A Markdown page that people read and px trusts: a text, and below it the same as data in an HTML comment, `<!-- px NAME JSON SEAL -->`, under a
 * seal (of the data's SHA-256) that only this home's master key makes, and no database holds.
 */
export interface SealedPage {
  /** Undefined when there is no page. */
  read(): SealedData | undefined;
  /** Replaces the page in one step. `json` is made by `pageData`. */
  write(text: string, json: string): void;
}

/** The page `NAME.md` of a folder; the name is also the seal's owner. */
export function sealedPage(folder: string, name: string, secrets: Pick<Secrets, 'seal' | 'unseal'>): SealedPage {
  const path = join(folder, `${name}.md`);
  const dataLine = new RegExp(`^<!-- px ${name} (\\[.*\\]) ([A-Za-z0-9+/=]+) -->$`, 'm');
  const hash = (json: string) => new Bun.CryptoHasher('sha256').update(json).digest();
  return {
    read() {
      let text: string;
      try {
        text = readFileSync(path, 'utf8');
      } catch {
        return undefined;
      }
      const [, json = '', seal = ''] = dataLine.exec(text) ?? [];
      const genuine = () => {
        try {
          return hash(json).equals(secrets.unseal(name, Buffer.from(seal, 'base64')));
        } catch {
          return false;
        }
      };
      return { json, genuine };
    },
    write(text, json) {
      const seal = Buffer.from(secrets.seal(name, hash(json))).toString('base64');
      const temporary = join(folder, `.${name}.md.tmp`);
      const file = openSync(temporary, 'w', 0o600);
      try {
        writeSync(file, `${text}\n<!-- px ${name} ${json} ${seal} -->\n`);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(temporary, path);
    },
  };
}

/** A list as JSON in a form that cannot end an HTML comment. */
export function pageData(list: readonly object[]): string {
  return JSON.stringify(list).replace(
    /[<>\u007f-\u009f\u2028\u2029]|-(?=-)/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A text as one cell of a Markdown table: no line, markup or table of its own. */
export function tableCell(text: string): string {
  return text.replace(/[\s\0-\x1f]+/g, ' ').replace(/[|<>`\\[\]]/g, (c) => `\\${c}`);
}

/** A time as a table shows it: `2026-11-22 20:32`, of this machine. */
export function tableTime(at: number): string {
  return new Date(at).toLocaleString('sv').slice(0, 16);
}

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import type { Secrets } from '../secret/secret.ts';
import type { ConversationId, Standing } from '../wire/wire.ts';

const conversation = v.custom<ConversationId>((value) => typeof value === 'string' && value.includes('/'));
const standing = v.strictObject({
  id: v.string(),
  tool: v.string(),
  conversation,
  outside: v.boolean(),
  by: v.string(),
  at: v.number(),
  until: v.number(),
});

/** Yeses that go on, in `memory/approvals.md`: a table to read, and the same as data under a seal that only this home can make. */
export interface StandingPage {
  /** What the page says; nothing when there is none or its seal is not px's: a page somebody else wrote allows nothing. */
  read(): Standing[];
  write(list: Standing[]): void;
}

const owner = 'approvals';
const dataLine = /^<!-- px approvals (\[.*\]) ([A-Za-z0-9+/=]+) -->$/m;

/** The page of a home. The seal is made with its master key, which no database holds. */
export function standingPage(
  memory: string,
  secrets: Pick<Secrets, 'seal' | 'unseal'>,
  trouble: (what: string) => void = () => {},
): StandingPage {
  const path = join(memory, 'approvals.md');
  const hash = (json: string) => new Bun.CryptoHasher('sha256').update(json).digest();
  return {
    read() {
      let text: string;
      try {
        text = readFileSync(path, 'utf8');
      } catch {
        return [];
      }
      const [, json = '', seal = ''] = dataLine.exec(text) ?? [];
      try {
        if (hash(json).equals(secrets.unseal(owner, Buffer.from(seal, 'base64'))))
          return v.parse(v.array(standing), JSON.parse(json));
      } catch {
        // Said below: nothing on this page counts.
      }
      trouble('memory/approvals.md was changed by somebody else: nothing on it counts');
      return [];
    },
    write(list) {
      const json = commentSafe(JSON.stringify(list));
      const seal = Buffer.from(secrets.seal(owner, hash(json))).toString('base64');
      const temporary = join(memory, '.approvals.md.tmp');
      const file = openSync(temporary, 'w', 0o600);
      try {
        writeSync(file, `${page(list)}\n<!-- px approvals ${json} ${seal} -->\n`);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(temporary, path);
    },
  };
}

/** JSON in a form that cannot end an HTML comment. */
function commentSafe(json: string): string {
  return json.replace(
    /[<>\u007f-\u009f\u2028\u2029]|-(?=-)/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function page(list: Standing[]): string {
  const cell = (text: string) => text.replace(/[\s\0-\x1f]+/g, ' ').replace(/[|<>`\\[\]]/g, (c) => `\\${c}`);
  const day = (at: number) => new Date(at).toLocaleString('sv').slice(0, 16);
  const rows = list.map(
    ({ id, tool, conversation, by, until, outside }) =>
      `| ${id} | ${cell(tool)} | ${cell(conversation)} | ${until === 0 ? '/new' : day(until)} | ${outside ? 'yes' : 'no'} | ${cell(by)} |\n`,
  );
  const table = `| id | tool | conversation | until | after outside text | by |\n|---|---|---|---|---|---|\n${rows.join('')}`;
  return `# Approvals\n\nWhat the agent may do without asking again. px writes this page: \`px approvals revoke ID\` changes it.\n\n${table}`;
}

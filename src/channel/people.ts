import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import type { Secrets } from '../secret/secret.ts';

/** Somebody who may talk to px. */
const person = v.strictObject({
  channel: v.string(),
  sender: v.string(),
  name: v.string(),
  chat: v.string(),
  /** When they were let in, ms since the epoch. */
  at: v.number(),
  /** Left out in pages of an older px. */
  role: v.exactOptional(v.picklist(['owner', 'guest'])),
  /** `channel/id` of the identity this one was linked to: they are one person, with one conversation. */
  person: v.exactOptional(v.string()),
});
type Person = v.InferOutput<typeof person>;

/** What the list of people says. */
interface ReadPeople {
  people: Person[];
  /** The data as it stands in the file, to tell whether it is up to date. */
  json: string;
  /** Whether px of this home wrote it: somebody else's list lets nobody in. */
  genuine(): boolean;
}

/** The paired people in `memory/people.md`: a table to read, and the same as data, sealed, from which a lost database is made again. */
export interface People {
  /** Undefined when there is no list, or none that can be read. */
  read(): ReadPeople | undefined;
  write(people: Person[]): void;
}

const owner = 'people';
const dataLine = /^<!-- px people (\[.*\]) ([A-Za-z0-9+/=]+) -->$/m;

/** The list of people of a home. The seal is made with its master key, which no database holds. */
export function openPeople(memory: string, secrets: Pick<Secrets, 'seal' | 'unseal'>): People {
  const path = join(memory, 'people.md');
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
      const parsed = v.safeParse(v.array(person), parseJson(json));
      if (!parsed.success) return undefined;
      const genuine = () => {
        try {
          return hash(json).equals(secrets.unseal(owner, Buffer.from(seal, 'base64')));
        } catch {
          return false;
        }
      };
      return { people: parsed.output, json, genuine };
    },
    write(people) {
      const json = peopleJson(people);
      const seal = Buffer.from(secrets.seal(owner, hash(json))).toString('base64');
      const temporary = join(memory, '.people.md.tmp');
      const file = openSync(temporary, 'w', 0o600);
      try {
        writeSync(file, `${page(people)}\n<!-- px people ${json} ${seal} -->\n`);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(temporary, path);
    },
  };
}

/** A list as data: as it stands in the file, in a form that cannot end an HTML comment. */
export function peopleJson(people: Person[]): string {
  const plain = people.map(({ channel, sender, name, chat, at, role, person }) => ({
    ...{ channel, sender, name, chat, at },
    ...(role === undefined ? {} : { role }),
    ...(person ? { person } : {}),
  }));
  return JSON.stringify(plain).replace(
    /[<>\u007f-\u009f\u2028\u2029]|-(?=-)/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function page(people: Person[]): string {
  const cell = (text: string) => text.replace(/[\s\0-\x1f]+/g, ' ').replace(/[|<>`\\[\]]/g, (c) => `\\${c}`);
  const rows = people.map(({ channel, sender, name, at, role = '', person = '' }) => {
    const since = new Date(at).toLocaleString('sv').slice(0, 16);
    return `| ${cell(name)} | ${cell(channel)} | ${cell(sender)} | ${role} | ${cell(person)} | ${since} |\n`;
  });
  const table = `| name | channel | id | is | same as | since |\n|---|---|---|---|---|---|\n${rows.join('')}`;
  return `# People\n\nWho may talk to px. px writes this page: \`px pairing\` changes it.\n\n${table}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

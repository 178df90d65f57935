import * as v from 'valibot';
import { pageData, type SealedData, type Secrets, sealedPage, tableCell, tableTime } from '../secret/secret.ts';

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

/** What the list of people says; its `json` tells whether it is up to date, and one that is not genuine lets nobody in. */
interface ReadPeople extends SealedData {
  people: Person[];
}

/** The paired people in `memory/people.md`: a table to read, and the same as data, sealed, from which a lost database is made again. */
export interface People {
  /** Undefined when there is no list, or none that can be read. */
  read(): ReadPeople | undefined;
  write(people: Person[]): void;
}

/** The list of people of a home. The seal is made with its master key, which no database holds. */
export function openPeople(memory: string, secrets: Pick<Secrets, 'seal' | 'unseal'>): People {
  const file = sealedPage(memory, 'people', secrets);
  return {
    read() {
      const data = file.read();
      if (!data) return undefined;
      const parsed = v.safeParse(v.array(person), parseJson(data.json));
      return parsed.success ? { ...data, people: parsed.output } : undefined;
    },
    write: (people) => file.write(page(people), peopleJson(people)),
  };
}

/** A list as data: as it stands in the file, in a form that cannot end an HTML comment. */
export function peopleJson(people: Person[]): string {
  const plain = people.map(({ channel, sender, name, chat, at, role, person }) => ({
    ...{ channel, sender, name, chat, at },
    ...(role === undefined ? {} : { role }),
    ...(person ? { person } : {}),
  }));
  return pageData(plain);
}

function page(people: Person[]): string {
  const rows = people.map(
    ({ channel, sender, name, at, role = '', person = '' }) =>
      `| ${tableCell(name)} | ${tableCell(channel)} | ${tableCell(sender)} | ${role} | ${tableCell(person)} | ${tableTime(at)} |\n`,
  );
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

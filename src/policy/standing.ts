import * as v from 'valibot';
import { pageData, type Secrets, sealedPage, tableCell, tableTime } from '../secret/secret.ts';
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

/** The page of a home. The seal is made with its master key, which no database holds. */
export function standingPage(
  memory: string,
  secrets: Pick<Secrets, 'seal' | 'unseal'>,
  trouble: (what: string) => void = () => {},
): StandingPage {
  const file = sealedPage(memory, 'approvals', secrets);
  return {
    read() {
      const data = file.read();
      if (!data) return [];
      try {
        if (data.genuine()) return v.parse(v.array(standing), JSON.parse(data.json));
      } catch {
        // Said below: nothing on this page counts.
      }
      trouble('memory/approvals.md was changed by somebody else: nothing on it counts');
      return [];
    },
    write: (list) => file.write(page(list), pageData(list)),
  };
}

function page(list: Standing[]): string {
  const rows = list.map(
    ({ id, tool, conversation, by, until, outside }) =>
      `| ${id} | ${tableCell(tool)} | ${tableCell(conversation)} | ${until === 0 ? '/new' : tableTime(until)} | ${outside ? 'yes' : 'no'} | ${tableCell(by)} |\n`,
  );
  const table = `| id | tool | conversation | until | after outside text | by |\n|---|---|---|---|---|---|\n${rows.join('')}`;
  return `# Approvals\n\nWhat the agent may do without asking again. px writes this page: \`px approvals revoke ID\` changes it.\n\n${table}`;
}

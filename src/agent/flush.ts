import { type ChangeBy, findFact, type Memory } from '../memory/memory.ts';
import { markOutside } from '../policy/policy.ts';

/** What a flush needs of the memory. */
export type FlushMemory = 'get' | 'search' | 'write';

/** Where facts are looked for beside the notes that speak of the same: what every turn begins with. */
const alwaysRead = ['MEMORY.md', 'USER.md'];

/** Notes that are looked through for a fact. */
const MOST_NOTES = 5;

/**
 * Keeps facts in today's note, those that no note says yet. Returns where, and how many they were. A note that cannot be written must not stop the turn: then there is no
 * place.
 */
export async function flush(
  memory: Pick<Memory, FlushMemory>,
  by: ChangeBy,
  facts: string[],
  outside: string[],
): Promise<{ place: string | undefined; facts: number }> {
  const today = `${new Date().toLocaleDateString('sv-SE')}.md`;
  const fresh: string[] = [];
  for (const fact of new Set(facts)) {
    const near = memory.search(fact, { limit: 2 * MOST_NOTES }).map((hit) => hit.path);
    const notes = near.filter((path) => !path.startsWith('journal/')).slice(0, MOST_NOTES);
    if ((await findFact(memory, fact, [...alwaysRead, today, ...notes])) === undefined) fresh.push(fact);
  }
  if (fresh.length === 0) return { place: undefined, facts: 0 };
  const isNew = await memory.get(today, 1, 1).then(
    () => false,
    () => true,
  );
  const title = isNew ? [`# ${today.slice(0, -3)}`, ''] : [];
  const time = new Date().toTimeString().slice(0, 5);
  const lines = [...title, `## ${time} from ${by.conversation}`, '', ...fresh.map((fact) => `- ${fact}`), ''];
  try {
    const { path, line } = await memory.write(today, markOutside(lines.join('\n'), outside), 'append', by);
    return { place: `${path}#${line + title.length}`, facts: fresh.length };
  } catch {
    return { place: undefined, facts: 0 };
  }
}

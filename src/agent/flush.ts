import { type ChangeBy, findFact, type Memory } from '../memory/memory.ts';
import { markOutside } from '../policy/policy.ts';

/** What a flush needs of the memory. */
export type FlushMemory = 'get' | 'search' | 'write';

/** Where a fact belongs: who the owner is, what stays true, or what happened on a day. */
type FactKind = 'user' | 'memory' | 'day';

/** A fact worth keeping, as a model sorted it. */
export interface Fact {
  kind: FactKind;
  text: string;
}

/** What every turn begins with, a fact a line. */
const alwaysRead = { user: 'USER.md', memory: 'MEMORY.md' };

/** Notes that are looked through for a fact. */
const MOST_NOTES = 5;

/** What a model writes before a fact says where it belongs; without it, it is what happened that day. It names a kind, never a path. */
export function factOf(line: string): Fact {
  const [, kind = '', text = ''] = /^[*_`[]*(user|memory|day)(?:\.md)?[\]*_`]*:[*_`]*\s+(.+)$/is.exec(line) ?? [];
  if (text === '') return { kind: 'day', text: line };
  return { kind: kind.toLowerCase() as FactKind, text };
}

/**
 * Keeps facts that no note says yet: about the owner in USER.md, what stays true in MEMORY.md, the rest in today's note. What both pages say px takes as its owner's
 * word, so that all goes to today's note, marked, when text from outside was read. Returns where, and how many they were. A note that cannot be written must not stop
 * the turn: then its facts have no place.
 */
export async function flush(
  memory: Pick<Memory, FlushMemory>,
  by: ChangeBy,
  facts: Fact[],
  outside: string[],
): Promise<{ places: string[]; facts: number }> {
  const today = `${new Date().toLocaleDateString('sv-SE')}.md`;
  const lines: { [K in FactKind]: string[] } = { user: [], memory: [], day: [] };
  for (const { kind, text } of new Map(facts.map((fact) => [fact.text, fact])).values()) {
    const near = memory.search(text, { limit: 2 * MOST_NOTES }).map((hit) => hit.path);
    const notes = near.filter((path) => !path.startsWith('journal/')).slice(0, MOST_NOTES);
    const known = await findFact(memory, text, [...Object.values(alwaysRead), today, ...notes]);
    if (known === undefined) lines[outside.length > 0 ? 'day' : kind].push(`- ${text}`);
  }
  const places: string[] = [];
  let kept = 0;
  const keep = async (path: string, head: string[], added: string[], mark: string[]) => {
    const text = markOutside([...head, ...added, ''].join('\n'), mark);
    const at = await memory.write(path, text, 'append', by).catch(() => undefined);
    if (!at) return;
    places.push(`${at.path}#${at.line + (head[0]?.startsWith('# ') ? 2 : 0)}`);
    kept += added.length;
  };
  for (const kind of ['user', 'memory'] as const) {
    if (lines[kind].length === 0) continue;
    const path = alwaysRead[kind];
    const title = (await isNew(memory, path)) ? [`# ${path.slice(0, 1)}${path.slice(1, -3).toLowerCase()}`, ''] : [];
    await keep(path, title, lines[kind], []);
  }
  if (lines.day.length > 0) {
    const time = new Date().toTimeString().slice(0, 5);
    const title = (await isNew(memory, today)) ? [`# ${today.slice(0, -3)}`, ''] : [];
    await keep(today, [...title, `## ${time} from ${by.conversation}`, ''], lines.day, outside);
  }
  return { places, facts: kept };
}

const isNew = (memory: Pick<Memory, 'get'>, path: string): Promise<boolean> =>
  memory.get(path, 1, 1).then(
    () => false,
    () => true,
  );

import { Database } from 'bun:sqlite';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A collection of notes with questions whose answers are known. */
export interface Collection {
  name: string;
  notes: Map<string, string>;
  questions: { text: string; relevant: Set<string>; kind: string }[];
}

/** How good a ranking is, in percent: part of the relevant notes among the first 5 and 10, and nDCG of the first 10. */
export interface Quality {
  recall5: number;
  recall10: number;
  ndcg10: number;
  msPerQuestion: number;
}

interface Session {
  speaker: string;
  text: string;
  blip_caption?: string;
}

/** LoCoMo conversations as a vault, one note a session, all conversations in one; undefined when the file is not there. */
export function locomo(file: string): Collection | undefined {
  if (!existsSync(file)) return undefined;
  const notes = new Map<string, string>();
  const questions: Collection['questions'] = [];
  const kinds = ['', 'multi-hop', 'temporal', 'open-domain', 'single-hop', 'adversarial'];
  const data = JSON.parse(readFileSync(file, 'utf8')) as {
    sample_id: string;
    conversation: { [key: string]: unknown };
    qa: { question: string; category: number; evidence?: string[] }[];
  }[];
  for (const { sample_id, conversation, qa } of data) {
    const path = (session: string) => `${sample_id}/session-${session.padStart(2, '0')}.md`;
    for (const [key, value] of Object.entries(conversation)) {
      if (!Array.isArray(value)) continue;
      const turns = value as Session[];
      const said = turns.map((t) => `- **${t.speaker}**: ${t.text}${t.blip_caption ? ` [${t.blip_caption}]` : ''}`);
      const title = `# ${conversation[`${key}_date_time`]}`;
      notes.set(path(key.replace('session_', '')), `${title}\n\n${said.join('\n')}\n`);
    }
    for (const { question, category, evidence = [] } of qa) {
      const sessions = evidence.flatMap((one) => [...one.matchAll(/D(\d+):\d+/g)].map((m) => path(m[1] ?? '')));
      if (sessions.length > 0)
        questions.push({ text: question, relevant: new Set(sessions), kind: kinds[category] ?? '' });
    }
  }
  return { name: 'LoCoMo', notes, questions };
}

/** Cranfield's abstracts and queries; undefined when the folder is not there. */
export function cranfield(folder: string): Collection | undefined {
  if (!existsSync(join(folder, 'cran.all.1400'))) return undefined;
  const read = (name: string) => readFileSync(join(folder, name), 'latin1').replaceAll('\r', '');
  const notes = new Map<string, string>();
  for (const part of read('cran.all.1400').split(/^\.I /m).slice(1)) {
    const [, id = '', title = '', text = ''] =
      /^(\d+)\s+\.T\n([\s\S]*?)\n\.A\n[\s\S]*?\.W\n([\s\S]*)$/.exec(part) ?? [];
    notes.set(`${id}.md`, `# ${title.replace(/\s+/g, ' ')}\n\n${text}\n`);
  }
  const relevant = new Map<string, Set<string>>();
  for (const line of read('cranqrel').trim().split('\n')) {
    const [query = '', doc, grade] = line.trim().split(/\s+/);
    if (Number(grade) > 0 && Number(grade) < 5)
      relevant.set(query, (relevant.get(query) ?? new Set()).add(`${doc}.md`));
  }
  const questions = read('cran.qry')
    .split(/^\.I /m)
    .slice(1)
    .flatMap((part, at) => {
      const found = relevant.get(String(at + 1));
      return found ? [{ text: part.split(/^\.W$/m)[1]?.trim() ?? '', relevant: found, kind: '' }] : [];
    });
  return { name: 'Cranfield', notes, questions };
}

/** Writes a collection below a folder. */
export function writeVault(folder: string, notes: Map<string, string>): void {
  for (const [path, text] of notes) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** Plain FTS5, a note a row, question words joined by OR: what everybody starts from. */
export function plainFts5(notes: Map<string, string>): (question: string) => string[] {
  const stop = new Set(
    'a an and are as at be by did do does for from had has have he her him his how i in is it its of on or she that the their they this to was were what when where which who why will with would s'.split(
      ' ',
    ),
  );
  const db = new Database(':memory:');
  db.run("CREATE VIRTUAL TABLE note USING fts5(path UNINDEXED, body, tokenize='porter unicode61')");
  const insert = db.prepare('INSERT INTO note VALUES (?, ?)');
  db.transaction(() => {
    for (const note of notes) insert.run(...note);
  })();
  const select = db.prepare<{ path: string }, [string]>(
    'SELECT path FROM note WHERE note MATCH ? ORDER BY bm25(note) LIMIT 10',
  );
  return (question) => {
    const words = new Set((question.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => !stop.has(word)));
    return select.all([...words].map((word) => `"${word}"`).join(' OR ')).map((row) => row.path);
  };
}

/** Asks every question and compares with what is known. */
export function qualityOf(questions: Collection['questions'], rank: (question: string) => string[]): Quality {
  let [recall5, recall10, ndcg, ms] = [0, 0, 0, 0];
  for (const { text, relevant } of questions) {
    const started = performance.now();
    const found = [...new Set(rank(text))].slice(0, 10);
    ms += performance.now() - started;
    const hits = (most: number) => found.slice(0, most).filter((path) => relevant.has(path)).length;
    recall5 += hits(5) / relevant.size;
    recall10 += hits(10) / relevant.size;
    const gain = (at: number) => 1 / Math.log2(at + 2);
    const ideal = Array.from({ length: Math.min(10, relevant.size) }, (_, at) => gain(at)).reduce((a, b) => a + b, 0);
    ndcg += found.reduce((sum, path, at) => sum + (relevant.has(path) ? gain(at) : 0), 0) / ideal;
  }
  const percent = (sum: number) => (100 * sum) / questions.length;
  return {
    recall5: percent(recall5),
    recall10: percent(recall10),
    ndcg10: percent(ndcg),
    msPerQuestion: ms / questions.length,
  };
}

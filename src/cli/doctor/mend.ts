import { toPxError } from '../../error/error.ts';
import { broken, type Io } from '../io.ts';
import type { Context } from '../verb.ts';
import { examine } from './doctor.ts';
import type { Finding, Fix } from './finding.ts';

/** What was asked of the doctor. */
export interface Wanted {
  offline: boolean;
  /** Mends what can be mended without losing anything. */
  fix: boolean;
  /** Asks before something is mended; left out, nobody is asked. */
  agree?: (what: string[]) => Promise<boolean>;
}

/** Mending one thing may bring another to light; more rounds than this never help. */
const mostRounds = 4;

/** Looks, tells, mends where that is wanted, and looks again until nothing more can be mended. */
export async function heal(context: Context, wanted: Wanted): Promise<{ findings: Finding[]; mended: string[] }> {
  const mended: string[] = [];
  const told = new Set<string>();
  const tried = new Set<string>();
  for (let round = 1; ; round++) {
    const findings: Finding[] = [];
    const before = mended.length;
    await examine(context, {
      offline: wanted.offline,
      async tell(found) {
        findings.push(...found);
        // In a later round only what is new is told.
        const fresh = found.filter((one) => !told.has(`${one.name}: ${one.text}`));
        for (const one of fresh) told.add(`${one.name}: ${one.text}`);
        if (!context.json) for (const one of fresh) print(context.io, one, wanted.fix);
        const fixes = found.flatMap((one) => (one.fix && !tried.has(one.fix.what) ? [one.fix] : []));
        if (!wanted.fix || fixes.length === 0) return;
        for (const fix of fixes) tried.add(fix.what);
        if (wanted.agree && !(await wanted.agree(fixes.map((fix) => fix.what)))) return;
        for (const fix of fixes) await mend(context, fix, mended);
      },
    });
    if (mended.length === before || round === mostRounds) return { findings, mended };
  }
}

async function mend({ io, json }: Context, fix: Fix, mended: string[]): Promise<void> {
  try {
    await fix.run();
    mended.push(fix.what);
    if (!json) io.line(`done  ${fix.what}`);
  } catch (thrown) {
    if (!json) io.line(`fail  ${fix.what}: ${toPxError(thrown).message}`);
  }
}

function print(io: Io, { name, state, text, hint, fix }: Finding, mends: boolean): void {
  const below = (words: string) => io.line(io.dim(broken(`      ${words}`, io.columns, 6)));
  const [mark, rest] = [`${state.padEnd(4)}  `, broken(`${' '.repeat(6)}${name}: ${text}`, io.columns, 6)];
  io.line(mark + io.bold(name) + rest.slice(mark.length + name.length));
  if (state === 'ok' || (fix && mends)) return;
  if (hint) below(hint);
  if (fix) below(`px doctor --fix does it: ${fix.what}`);
}

import type { Client } from '../../client/client.ts';
import { PxError } from '../../error/error.ts';
import type { Context } from '../verb.ts';

type Info = Awaited<ReturnType<Client['plugin']>>;
type Ask = Info['asks'][number];
/** What of a plugin's asks is granted. */
export type Choice = 'all' | 'none' | string[];

/** The flags with which a script agrees. */
export const agreeing = {
  yes: { type: 'boolean', description: 'Grant all it asks for.', alias: 'y' },
  grant: {
    type: 'string',
    description: 'Grant `all`, `none`, or these of its asks, with `;` between them.',
    valueHint: 'ASKS',
  },
} as const;

/** What the flags say; undefined when they say nothing. */
export function choiceOf(args: { yes?: boolean | undefined; grant?: string | undefined }): Choice | undefined {
  if (args.grant === undefined) return args.yes ? 'all' : undefined;
  if (args.grant === 'all' || args.grant === 'none') return args.grant;
  return rulesOf(args.grant.split(';'));
}

/** Asks as words of a command line, trimmed. */
export function rulesOf(words: string[]): string[] {
  return words.map((word) => word.trim()).filter((word) => word !== '');
}

/** Whether there is a person to ask. */
export function canAsk({ io, json }: Context): boolean {
  return io.tty && !json && process.stdin.isTTY === true;
}

/** Shows what a plugin asks for and takes the answer, for all of it or one by one; undefined when the person wants nothing done. */
export async function askPerson(
  { io }: Context,
  what: string,
  asks: Ask[],
  without: string,
): Promise<Choice | undefined> {
  io.line(`${io.bold(what)} asks to`);
  for (const ask of asks) io.line(`  - ${ask.text}`);
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  // Ctrl-C is the terminal's own here, and no signal.
  lines.on('SIGINT', () => {
    lines.close();
    process.kill(process.pid, 'SIGINT');
  });
  const ask = async (question: string) => (await lines.question(question)).trim().toLowerCase();
  const several = asks.length > 1;
  try {
    for (;;) {
      const answer = await ask(`Grant this? [y]es, [n]o (${without}), ${several ? '[s]ome, ' : ''}[c]ancel: `);
      if (several && (answer === 's' || answer === 'some')) {
        const some: string[] = [];
        for (const { text, rule } of asks) if (/^y(es)?$/.test(await ask(`  - ${text}? [y/N]: `))) some.push(rule);
        return some.length > 0 ? some : 'none';
      }
      // What was shown and no more: an update does not bring back what was declined before.
      if (answer === 'y' || answer === 'yes') return asks.map(({ rule }) => rule);
      if (answer === 'n' || answer === 'no') return 'none';
      if (answer === 'c' || answer === 'cancel' || answer === '') return undefined;
    }
  } catch {
    // The terminal went away: that is no yes.
    return undefined;
  } finally {
    lines.close();
  }
}

/** What a person decides about a plugin that was looked at. */
export interface Open {
  /** What is not granted yet; of one from elsewhere than the installed one of its name all it asks for: it is another plugin. */
  asks: Ask[];
  /** The installed one, when it is from elsewhere. */
  instead: Installed | undefined;
}
type Installed = Awaited<ReturnType<Client['plugins']>>[number];

/** What is open about a plugin that was looked at. */
export async function openOf(client: Client, seen: Info): Promise<Open> {
  const there = (await client.plugins()).find(({ name }) => name === seen.name);
  const instead = there?.source === seen.source ? undefined : there;
  return { asks: seen.asks.filter((ask) => instead !== undefined || !ask.granted), instead };
}

/** What a new version asks for, from the error that stopped it; undefined for any other error. */
export function asksIn(thrown: unknown): { name: string; version: string; sha256: string; asks: Ask[] } | undefined {
  if (!(thrown instanceof PxError) || thrown.code !== 'plugin.asks') return undefined;
  // The server's own shape: only shown, and sent back.
  return thrown.data as { name: string; version: string; sha256: string; asks: Ask[] };
}

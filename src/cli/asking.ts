import { PxError } from '../error/error.ts';
import type { Approval } from '../wire/wire.ts';
import type { Backend } from './backend.ts';
import type { Io } from './io.ts';

/** Reads one line from the person; undefined when the input ended, or when it is too late for an answer. */
export type ReadLine = (prompt: string, over: AbortSignal) => Promise<string | undefined>;

/**
 * Puts a question of px to the person at this terminal and hands their word on. Without a terminal the question is only told; and where
 * nobody else could answer it either (px runs in this process alone) it is a no.
 */
export async function askPerson(
  io: Io,
  backend: Backend,
  approval: Approval,
  over: AbortSignal,
  read?: ReadLine,
): Promise<void> {
  if (over.aborted) return;
  const { id, tool, arguments: args, reason } = approval;
  io.note(`px: may I use ${tool} with ${args}?`);
  io.note(`    Why I ask: ${reason}.`);
  if (!read && backend.running) return io.note(`    px approvals approve ${id}, or px approvals deny ${id}`);
  const answer = read ? await read('    y: once, s: until /new, h: for an hour, n: no › ', over) : 'n';
  if (over.aborted) return io.note('    (answered elsewhere, or too late)');
  const word = (answer ?? 'n').trim().toLowerCase();
  const decision = word === 'y' || word === 'yes' ? 'once' : word === 's' ? 'session' : word === 'h' ? 'time' : 'deny';
  if (!read) io.note('    Nobody is here to answer: no. Type it in `px chat`, or allow it in px.yaml (policy.rules).');
  try {
    await backend.client.approvals.decide(id, decision, 60);
  } catch (thrown) {
    // Somebody else was quicker, or the time was over: what holds is told by what px does next.
    if (!(thrown instanceof PxError) || thrown.code !== 'not-found') throw thrown;
  }
}

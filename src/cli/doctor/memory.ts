import type { Client } from '../../client/client.ts';
import { some } from '../count.ts';
import { type Finding, fine } from './finding.ts';

/** A px that runs hears of a change within this, in ms. */
const hearMs = 600;

/** Whether what is found is what is there. What changed while no px ran is taken in when one runs. */
export async function indexFinding(client: Client, running: boolean): Promise<Finding> {
  const name = 'index';
  let seen = await client.compareMemory();
  if (running && seen.stale + seen.gone > 0) {
    await Bun.sleep(hearMs);
    seen = await client.compareMemory();
  }
  const { files, stale, gone, large } = seen;
  const { chunks } = (await client.status()).memory;
  if (stale + gone === 0 && large.length > 0)
    return {
      name,
      state: 'warn',
      text: `too large to be searched: ${large.map((path) => `memory/${path}`).join(', ')}`,
      hint: 'Split it, or raise memory.max_file_bytes in px.yaml.',
    };
  if (stale + gone === 0) return fine(name, `${files} files, ${chunks} passages, as fresh as they are`);
  if (!running)
    return fine(name, `${files} files, of which ${stale + gone} changed since px looked; it does when it runs`);
  const what = [
    ...(stale > 0 ? [`${stale} of ${files} files as they were before, or not at all`] : []),
    ...(gone > 0 ? [`${gone} that are gone`] : []),
  ].join(', and ');
  return {
    name,
    state: 'warn',
    text: `it holds ${what}`,
    hint: 'px brings it up to date by itself within minutes, or at once: px memory rebuild',
    fix: { what: 'make the index again from memory/', run: () => client.rebuildMemory() },
  };
}

/** Whether the journals are what px wrote. Nobody can mend that: somebody has to look. */
export async function auditFinding(client: Client): Promise<Finding> {
  const name = 'audit';
  const { conversations, entries, problems } = await client.verifyAudit();
  const [first] = problems;
  if (!first)
    return fine(
      name,
      `what was said in ${some(conversations, 'conversation')} is as px wrote it (entries: ${entries})`,
    );
  const more = problems.length > 1 ? `, and ${problems.length - 1} more` : '';
  return {
    name,
    state: 'fail',
    text: `memory/${first.path}:${first.line} is not what px wrote: ${first.reason}${more}`,
    hint: 'px audit verify shows each place. Put the file back from a backup, or find out who changed it.',
  };
}

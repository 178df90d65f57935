/** What connectors share whose platform lets a button carry only few characters. */
import { kvDelete, kvGetText, kvList, kvSet } from 'px';

/** Words of buttons that are kept at most. */
const maxSays = 200;

/** What a button carries: its words, or a short name of them where they do not fit or would be taken for one. */
export function carried(says: string, fits: boolean): string {
  return fits && !says.startsWith('say:') ? says : shortName(says);
}

/** What a pressed button says; nothing for a button of long ago. */
export function said(carried: string): string | undefined {
  return carried.startsWith('say:') ? kvGetText(carried) : carried || undefined;
}

/** Keeps words in the plugin's own store; the short name to carry in their place. The oldest names make room. */
function shortName(says: string): string {
  let hash = 5381n;
  for (const c of says) hash = (hash * 33n + BigInt(c.codePointAt(0) ?? 0)) & 0xffffffffffffffffn;
  const name = `say:${hash.toString(36)}`;
  const kept = kvList('say:');
  if (!kept.includes(name)) for (const old of kept.slice(0, Math.max(0, kept.length - maxSays))) kvDelete(old);
  kvSet(name, says);
  return name;
}

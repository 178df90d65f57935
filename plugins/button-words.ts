/** What connectors share whose platform lets a button carry only few characters. */
import { kvDelete, kvList, kvSet } from 'px';

/** Words of buttons that are kept at most. */
const maxSays = 200;

/** Keeps words that are too long for a button in the plugin's own store; the short name to carry in their place. The oldest names make room. */
export function shortName(says: string): string {
  let hash = 5381n;
  for (const c of says) hash = (hash * 33n + BigInt(c.codePointAt(0) ?? 0)) & 0xffffffffffffffffn;
  const name = `say:${hash.toString(36)}`;
  const kept = kvList('say:');
  if (!kept.includes(name)) for (const old of kept.slice(0, Math.max(0, kept.length - maxSays))) kvDelete(old);
  kvSet(name, says);
  return name;
}

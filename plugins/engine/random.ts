import { hostApi } from './host.ts';

/** Bytes asked of the host at once: to ask takes longer than all else that a plain call does. */
const poolBytes = 1024;
/** Bytes the host gives at most at once. */
const mostBytes = 65_536;
let pool: Uint8Array = new Uint8Array(0);
let used = 0;

/** So many random bytes, each given once. */
export function random(count: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(count);
  if (out.length > poolBytes / 4) {
    for (let at = 0; at < out.length; at += mostBytes)
      out.set(hostApi.randomBytes(Math.min(mostBytes, out.length - at)), at);
    return out;
  }
  if (used + out.length > pool.length) {
    pool = hostApi.randomBytes(poolBytes);
    used = 0;
  }
  out.set(pool.subarray(used, used + out.length));
  used += out.length;
  return out;
}

/** Math.random over the host's random bytes: the engine's own would repeat at every start. */
export function fraction(): number {
  const view = new DataView(random(8).buffer);
  return ((view.getUint32(0) >>> 5) * 67_108_864 + (view.getUint32(4) >>> 6)) / 9_007_199_254_740_992;
}

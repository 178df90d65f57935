import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import type { GatewayAddress } from './client.ts';

const Address = v.object({ url: v.pipe(v.string(), v.url()), token: v.string(), pid: v.number() });

/** Reads `state/gateway.json`; undefined when there is none, or none that can be understood. */
export function readAddress(stateFolder: string): GatewayAddress | undefined {
  try {
    const result = v.safeParse(Address, JSON.parse(readFileSync(join(stateFolder, 'gateway.json'), 'utf8')));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

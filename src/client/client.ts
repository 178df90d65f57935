import type { Home } from '../config/config.ts';
import { readAddress } from './address.ts';
import { type Client, createClient } from './api.ts';

export { type Client, createClient } from './api.ts';
export { bothSides } from './both-sides.ts';
export { type Events, openEvents } from './events.ts';
export { askAccount, type Messenger, messengerServer, messengers, prepareMessenger } from './messenger.ts';

/** Where a running px of a home is reached: written by the gateway to `state/gateway.json` (0600), removed when it stops. */
export interface GatewayAddress {
  url: string;
  token: string;
  pid: number;
}

/**
 * A client of the px that runs for this home; undefined when none runs (also when `gateway.json` was left behind by one that
 * was killed).
 */
export async function connect(home: Pick<Home, 'state'>): Promise<Client | undefined> {
  const address = readAddress(home.state);
  if (!address) return undefined;
  const client = createClient(address);
  return (await client.alive()) ? client : undefined;
}

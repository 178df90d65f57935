import { lookup } from 'node:dns/promises';
import * as v from 'valibot';
import { PxError, toPxError } from '../error/error.ts';
import { classifyAddress } from '../policy/policy.ts';
import type { Client } from './api.ts';

/** A messenger whose connector px carries, as far as setting it up goes. */
export interface Messenger {
  id: 'telegram' | 'matrix' | 'discord';
  label: string;
  /** The secret that holds the token. */
  secret: string;
  token: { form: RegExp; looks: string };
  /** The setting of the connector that names its server, and the server it is without one. */
  server: { setting: string; url: string };
  /** What the connector is granted on another server than that. */
  grants(origin: string): { egress: string[]; secret: string[] };
}

/** The messengers px carries a connector for. */
export const messengers = {
  telegram: {
    id: 'telegram',
    label: 'Telegram',
    secret: 'TELEGRAM_TOKEN',
    token: { form: /^\d+:[\w-]{4,}$/, looks: '123456789:AAE…, as @BotFather gave it' },
    server: { setting: 'api', url: 'https://api.telegram.org' },
    grants: (origin) => ({ egress: [`GET,POST ${origin}/`], secret: [`${origin}/`] }),
  },
  matrix: {
    id: 'matrix',
    label: 'Matrix',
    secret: 'MATRIX_TOKEN',
    token: { form: /^[\w.~+/=-]{8,}$/, looks: 'syt_… or mat_…' },
    server: { setting: 'homeserver', url: 'https://matrix-client.matrix.org' },
    grants: (origin) => ({ egress: [`GET,POST,PUT ${origin}/_matrix/`], secret: [`bearer ${origin}/_matrix/`] }),
  },
  discord: {
    id: 'discord',
    label: 'Discord',
    secret: 'DISCORD_TOKEN',
    token: { form: /^[\w-]{6,}\.[\w-]+\.[\w-]{6,}$/, looks: 'MTEx….GabcDe.…, three parts with dots between them' },
    server: { setting: 'api', url: 'https://discord.com/api/v10' },
    grants: (origin) => ({
      egress: [`GET,POST,PUT,PATCH,DELETE ${origin}/`, `GET ${origin.replace('http', 'ws')}/`],
      secret: [`header:authorization ${origin}/`, `body:d.token ${origin.replace('http', 'ws')}/`],
    }),
  },
} as const satisfies Record<string, Messenger>;

const Settings = v.object({ settings: v.record(v.string(), v.unknown()) });
const Plugins = v.object({ plugins: v.record(v.string(), v.unknown()) });
const Account = v.object({ name: v.string(), url: v.string() });

/** The server px.yaml names for a messenger, or its own. */
export function messengerServer(config: Record<string, unknown>, { id, server }: Messenger): string {
  return namedServer(config, id, server.setting) ?? server.url;
}

function namedServer(config: Record<string, unknown>, id: string, setting: string): string | undefined {
  const plugins = v.safeParse(Plugins, config);
  const read = v.safeParse(Settings, plugins.success ? plugins.output.plugins[id] : undefined);
  const named = read.success ? read.output.settings[setting] : undefined;
  return typeof named === 'string' ? named : undefined;
}

/**
 * Everything a messenger needs, in the order in which a failure leaves nothing half open: the plugin, what it is granted, the token. An empty
 * token is the one stored before. The channel is not switched on. Throws PxError `usage`, and those of the gateway.
 */
export async function prepareMessenger(
  client: Client,
  messenger: Messenger,
  given: { token: string; server?: string },
): Promise<void> {
  const { id, secret } = messenger;
  const token = given.token.trim();
  const server = (given.server?.trim() || messenger.server.url).replace(/\/+$/, '');
  if (token === '' && !(await client.secretNames()).includes(secret))
    throw new PxError('usage', 'Paste the token first.');
  if (token !== '' && !messenger.token.form.test(token))
    throw new PxError('usage', `This is no token of ${messenger.label}.`, {
      hint: `It looks like ${messenger.token.looks}.`,
    });
  if (!URL.canParse(server) || !/^https?:$/.test(new URL(server).protocol))
    throw new PxError('usage', 'The address of the server is not right.', { hint: 'It looks like https://host:port.' });
  if (!(await client.plugins()).some((one) => one.name === id)) await client.addPlugin(id);
  await grant(client, messenger, server);
  if (token !== '') await client.setSecret(secret, token);
}

async function grant(client: Client, { id, secret, server, grants }: Messenger, url: string): Promise<void> {
  const of = `plugins.${id}`;
  const before = namedServer(await client.config(), id, server.setting);
  await client.setConfig(`${of}.settings.token`, `secret:${secret}`);
  if (url === server.url) {
    // What was set for a server of one's own goes; then the plugin gets what it asks for, and nothing else.
    if (before !== undefined)
      for (const key of [`settings.${server.setting}`, 'grants.private_hosts', 'grants.egress', 'grants.secrets'])
        await client.unsetConfig(`${of}.${key}`);
    await client.grantPlugin(id, { grant: 'all' });
    return;
  }
  const { origin, host, hostname, port, protocol } = new URL(url);
  const wanted = grants(origin);
  await client.setConfig(`${of}.settings.${server.setting}`, url);
  await client.setConfig(`${of}.grants.egress`, wanted.egress);
  await client.setConfig(`${of}.grants.secrets.${secret}`, wanted.secret);
  // Whoever types the address of a server on their own network means it; one on the internet gets no way in there.
  const at = port === '' ? `${hostname}:${protocol === 'https:' ? 443 : 80}` : host;
  if (await isAtHome(hostname)) await client.setConfig(`${of}.grants.private_hosts`, [at]);
  else await client.unsetConfig(`${of}.grants.private_hosts`);
}

/** Whether a host has an address on this machine or the network around it. */
async function isAtHome(hostname: string): Promise<boolean> {
  const found = await lookup(hostname.replace(/^\[|\]$/g, ''), { all: true }).catch(() => []);
  return found.some(({ address }) => classifyAddress(address) !== 'public');
}

/**
 * Who px is on a connector's platform, asked for now: this needs the token to be right, not the channel to be on. Throws PxError:
 * `plugin.guest` with the platform's words, `plugin.function` when the connector does not say.
 */
export async function askAccount(client: Client, plugin: string): Promise<{ name: string; url: string }> {
  try {
    return v.parse(Account, await client.callPlugin(plugin, 'account', []));
  } catch (thrown) {
    const { code, message, hint, retryable } = toPxError(thrown);
    // What a connector puts before its words is meant for px.
    const words = message.replace(/^(?:[a-z-]+:[\d.]* )/, '');
    throw new PxError(code, words.charAt(0).toUpperCase() + words.slice(1), {
      ...(hint === undefined ? {} : { hint }),
      retryable,
      cause: thrown,
    });
  }
}

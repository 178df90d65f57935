import * as v from 'valibot';
import { PxError } from '../error/error.ts';
import type { Client } from './api.ts';

/** The secret that holds the bot's token. */
export const telegramSecret = 'TELEGRAM_TOKEN';
/** Telegram's own Bot API. */
export const telegramApi = 'https://api.telegram.org';

const Settings = v.object({
  plugins: v.object({ telegram: v.object({ settings: v.record(v.string(), v.unknown()) }) }),
});
const Account = v.object({ name: v.string(), url: v.string() });

/** The settings of the Telegram plugin in px.yaml. */
function settingsOf(config: Record<string, unknown>): Record<string, unknown> {
  const read = v.safeParse(Settings, config);
  return read.success ? read.output.plugins.telegram.settings : {};
}

/** The Bot API server px.yaml names, or Telegram's own. */
export function telegramServer(config: Record<string, unknown>): string {
  const { api } = settingsOf(config);
  return typeof api === 'string' ? api : telegramApi;
}

/**
 * Everything a bot needs, in the order in which a failure leaves nothing half open: the plugin, what it is granted, the token. An empty
 * token is the one stored before. The channel is not switched on. Throws PxError `usage`, and those of the gateway.
 */
export async function prepareTelegram(client: Client, given: { token: string; api?: string }): Promise<void> {
  const token = given.token.trim();
  const api = (given.api?.trim() || telegramApi).replace(/\/+$/, '');
  if (token === '' && !(await client.secretNames()).includes(telegramSecret))
    throw new PxError('usage', 'Paste the token of the bot first.');
  if (token !== '' && !/^\d+:[\w-]{4,}$/.test(token))
    throw new PxError('usage', 'This is no bot token.', {
      hint: 'It looks like 123456789:AAE…, as @BotFather gave it.',
    });
  if (!URL.canParse(api) || !/^https?:$/.test(new URL(api).protocol))
    throw new PxError('usage', 'The address of the server is not right.', { hint: 'It looks like https://host:port.' });
  if (!(await client.plugins()).some((one) => one.name === 'telegram')) await client.addPlugin('telegram');
  await grant(client, api);
  if (token !== '') await client.setSecret(telegramSecret, token);
}

async function grant(client: Client, api: string): Promise<void> {
  const of = 'plugins.telegram';
  const ownApi = settingsOf(await client.config())['api'];
  await client.setConfig(`${of}.settings.token`, `secret:${telegramSecret}`);
  if (api === telegramApi) {
    // What was set for a server of one's own goes; then the plugin gets what it asks for, and nothing else.
    if (ownApi !== undefined)
      for (const key of ['settings.api', 'grants.private_hosts', 'grants.egress', 'grants.secrets'])
        await client.unsetConfig(`${of}.${key}`);
    await client.grantPlugin('telegram', { grant: 'all' });
    return;
  }
  const { origin, host, hostname, port, protocol } = new URL(api);
  await client.setConfig(`${of}.settings.api`, api);
  await client.setConfig(`${of}.grants.egress`, [`GET,POST ${origin}/`]);
  await client.setConfig(`${of}.grants.secrets.${telegramSecret}`, [`${origin}/`]);
  // A server of one's own is most often on one's own network, which no rule reaches unless it is named.
  const at = port === '' ? `${hostname}:${protocol === 'https:' ? 443 : 80}` : host;
  await client.setConfig(`${of}.grants.private_hosts`, [at]);
}

/**
 * Who px is on a connector's platform, asked for now: this needs the token to be right, not the channel to be on. Throws PxError:
 * `plugin.guest` with the platform's words, `plugin.function` when the connector does not say.
 */
export async function askAccount(client: Client, plugin: string): Promise<{ name: string; url: string }> {
  return v.parse(Account, await client.callPlugin(plugin, 'account', []));
}

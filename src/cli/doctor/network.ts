import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { localChannels } from '../../channel/channel.ts';
import { askAccount, type Client, messengerServer, messengers } from '../../client/client.ts';
import { getPath } from '../../config/config.ts';
import { toPxError } from '../../error/error.ts';
import type { Status } from '../../wire/wire.ts';
import { type Finding, fine, within } from './finding.ts';

const patience = 5;
/** What a channel says of itself before channels are started. */
const notStarted = 'not started';
/** A clock that is off by more than this makes certificates and signatures fail sooner or later, in ms. */
const mostOff = 60_000;

type Provider = Awaited<ReturnType<Client['providers']>>[number];

/** What lies beyond this machine: names, the clock of others, providers with their keys, the accounts of channels. */
export async function networkFindings(client: Client, status: Status): Promise<Finding[]> {
  const providers = usedProviders(await client.providers(), status);
  const config = await client.config();
  // A px that only looks has started none.
  const channels = status.channels.filter(
    ({ id, state, detail }) =>
      state !== 'off' ||
      (detail === notStarted && !localChannels.has(id) && getPath(config, `channels.${id}.enabled`) === true),
  );
  const servers = Object.values(messengers)
    .filter(({ id }) => channels.some((channel) => channel.plugin === id))
    .map((messenger) => messengerServer(config, messenger));
  const urls = [...providers.map((one) => one.url), ...servers];
  const found = await Promise.all([
    dnsFindings(urls),
    clockFinding(urls),
    ...providers.map((provider) => providerFinding(client, provider, status)),
    ...channels.map((channel) => channelFinding(client, channel)),
  ]);
  return found.flat();
}

/** Those with a key, and the one whose model answers. */
function usedProviders(providers: Provider[], { model }: Status): Provider[] {
  return providers.filter((one) => one.url !== '' && (one.key !== '' || model.ref.startsWith(`${one.name}/`)));
}

async function dnsFindings(urls: string[]): Promise<Finding[]> {
  const name = 'names';
  const hosts = [...new Set(urls.flatMap((url) => URL.parse(url)?.hostname ?? []))].filter(
    (host) => isIP(host.replace(/^\[|\]$/g, '')) === 0 && host !== 'localhost',
  );
  if (hosts.length === 0) return [];
  const failed = await Promise.all(
    hosts.map((host) =>
      within(patience, lookup(host)).then(
        () => [],
        (thrown: unknown) => [`${host} (${Reflect.get(Object(thrown), 'code') ?? toPxError(thrown).message})`],
      ),
    ),
  );
  const bad = failed.flat();
  if (bad.length === 0) return [fine(name, `${hosts.join(', ')} can be resolved`)];
  const hint = 'Is this machine on the network, and is the resolver in /etc/resolv.conf right?';
  return [{ name, state: 'fail', text: `no address is found for ${bad.join(', ')}`, hint }];
}

/** Compares the clock with what the first server that answers says, as far as HTTP tells: whole seconds. */
async function clockFinding(urls: string[]): Promise<Finding[]> {
  for (const url of urls) {
    const date = await within(patience, fetch(url, { method: 'HEAD', redirect: 'manual' })).then(
      (response) => Date.parse(response.headers.get('date') ?? ''),
      () => Number.NaN,
    );
    if (Number.isNaN(date)) continue;
    return [judgeClock(Date.now() - date, URL.parse(url)?.host ?? url)];
  }
  return [fine('clock', `${new Date().toISOString()}; nobody was there to compare it with`)];
}

/** `off`: how far this clock is ahead, in ms. */
export function judgeClock(off: number, whose: string): Finding {
  const name = 'clock';
  const seconds = Math.round(Math.abs(off) / 1000);
  if (Math.abs(off) <= mostOff) return fine(name, `it agrees with ${whose}`);
  const text = `it is ${seconds} seconds ${off > 0 ? 'ahead of' : 'behind'} that of ${whose}`;
  return {
    name,
    state: 'fail',
    text,
    hint: 'Set it, or let systemd-timesyncd or chrony do so: timedatectl set-ntp true',
  };
}

async function providerFinding(client: Client, provider: Provider, { model }: Status): Promise<Finding> {
  const name = `provider ${provider.name}`;
  try {
    const { models } = await within(patience, client.offered(provider.name));
    return fine(
      name,
      `${provider.label} answers${provider.key === '' ? '' : ' and takes the key'}: ${models.length} models`,
    );
  } catch (thrown) {
    const { message, hint } = toPxError(thrown);
    const answers = model.ref.startsWith(`${provider.name}/`);
    return { name, state: answers ? 'fail' : 'warn', text: message, ...(hint ? { hint } : {}) };
  }
}

/** What a channel's platform says to its token, also while no px runs. */
async function channelFinding(client: Client, channel: Status['channels'][number]): Promise<Finding[]> {
  const name = `channel ${channel.id}`;
  try {
    const { name: who } = await within(patience, askAccount(client, channel.plugin));
    return [fine(name, channel.state === 'running' ? `running as ${who}` : `the token is right: px is ${who}`)];
  } catch (thrown) {
    const error = toPxError(thrown);
    // A connector that does not say who it is can be right all the same.
    if (error.code === 'plugin.function') return channelStates([channel]);
    return [{ name, state: 'fail', text: error.message, ...(error.hint ? { hint: error.hint } : {}) }];
  }
}

/** What px itself knows of its channels. */
export function channelStates(channels: Status['channels']): Finding[] {
  return channels.map((channel) => ({
    name: `channel ${channel.id}`,
    state: channel.state === 'failing' ? 'fail' : channel.state === 'waiting' ? 'warn' : 'ok',
    text: channel.detail ? `${channel.state}: ${channel.detail}` : channel.state,
  }));
}
